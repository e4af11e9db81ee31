//! What a barrier waits for: destructors that others have begun to run.

use std::sync::atomic::Ordering;

use loom::sync::Arc;
use loom::thread;

use super::support::{Reached, Thing, explore, leave, slot};
use crate::domain::Domain;
use crate::raw::bucket::Bucket;
use crate::raw::deferred::Deferred;
use crate::raw::lock::ForkLock;
use crate::raw::participant::Participant;
use crate::run::Hands;
use crate::sync::yield_now;

/// Something that was retired, and whether the thread that retired it destroyed it.
#[derive(Clone)]
struct Retired {
    thing: std::sync::Arc<Thing>,
    by_ours: std::sync::Arc<std::sync::atomic::AtomicBool>,
}

impl Retired {
    /// Puts something into the owner's bins and moves the hands past it.
    fn and_expired(domain: &Domain, owner: &Participant) -> Self {
        let retired = Self::only(domain, owner);
        let inner = domain.inner();
        assert!(inner.poll(inner.clock.now()), "nobody is inside");
        retired
    }

    /// Puts something into the owner's bins.
    fn only(domain: &Domain, owner: &Participant) -> Self {
        let retired = Self {
            thing: std::sync::Arc::new(Thing::new()),
            by_ours: std::sync::Arc::default(),
        };
        let ours = thread::current().id();
        let what = {
            let retired = retired.clone();
            Deferred::new(move || {
                let is_ours = thread::current().id() == ours;
                retired.by_ours.store(is_ours, Ordering::Relaxed);
                retired.thing.destroy();
            })
        };
        let clock = &domain.inner().clock;
        owner.with_bins(|bins| bins.push(what, 8, Bucket::with_capacity, || clock.advance()));
        owner.note_garbage();
        retired
    }

    /// After a barrier of ours. Whether it destroyed the thing itself.
    #[track_caller]
    fn check(&self) -> bool {
        assert!(self.thing.is_dead(), "the barrier came back too soon");
        self.by_ours.load(Ordering::Relaxed)
    }
}

/// A barrier comes back when all that was retired before is destroyed, also what
/// another thread took from the depot.
#[test]
fn barrier_waits_for_hands() {
    static OTHER: Reached = Reached::new("the other thread destroys it");
    static OURS: Reached = Reached::new("the barrier destroys it");
    explore(2, || {
        let domain = Domain::new();
        let owner = slot(&domain);
        let retired = Retired::and_expired(&domain, owner);
        domain.inner().hand_over(owner);
        let other = {
            let domain = domain.clone();
            thread::spawn(move || domain.flush())
        };
        domain.barrier();
        let by_ours = retired.check();
        OURS.hit_if(by_ours);
        OTHER.hit_if(!by_ours);
        other.join().unwrap();
        leave(owner);
    });
    OTHER.check();
    OURS.check();
}

/// The same for what its owner runs, whose bins are empty by then.
#[test]
fn barrier_waits_for_the_running() {
    static OWNER: Reached = Reached::new("the owner destroys it");
    static OURS: Reached = Reached::new("the barrier takes it from the owner");
    explore(2, || {
        let domain = Domain::new();
        let owner = slot(&domain);
        let retired = Retired::and_expired(&domain, owner);
        let other = {
            let domain = domain.clone();
            thread::spawn(move || domain.inner().run_ready(owner, 1))
        };
        domain.barrier();
        let by_ours = retired.check();
        OURS.hit_if(by_ours);
        OWNER.hit_if(!by_ours);
        other.join().unwrap();
        leave(owner);
    });
    OWNER.check();
    OURS.check();
}

/// The same for what its owner hands over to the depot meanwhile: the flag that the
/// barrier goes by is gone then.
#[test]
fn barrier_finds_what_is_handed_over() {
    static HELD: Reached = Reached::new("the owner holds it when the barrier begins");
    static GONE: Reached = Reached::new("the owner has handed it over");
    explore(2, || {
        let domain = Domain::new();
        let owner = slot(&domain);
        let retired = Retired::only(&domain, owner);
        let other = {
            let domain = domain.clone();
            thread::spawn(move || domain.inner().hand_over_and_forget(owner))
        };
        let is_held = owner.has_garbage();
        HELD.hit_if(is_held);
        GONE.hit_if(!is_held);
        domain.barrier();
        assert!(retired.check(), "nobody else runs it");
        other.join().unwrap();
        leave(owner);
    });
    HELD.check();
    GONE.check();
}

/// The counts by themselves: who finds both empty, each after it was avoided, finds
/// done what was in hand before, by these counts and by nothing else.
#[test]
fn hands_hand_over() {
    static WAITED: Reached = Reached::new("the other thread has it in hand");
    static DONE: Reached = Reached::new("the other thread is done with it");
    static NONE: Reached = Reached::new("the other thread has not taken it");
    explore(3, || {
        let shared = Arc::new((ForkLock::new(true), Hands::default(), Thing::new()));
        let other = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let (depot, hands, thing) = &*shared;
                let hand = depot.with(|has_it| {
                    *has_it = false;
                    hands.take()
                });
                thing.destroy();
                drop(hand);
            })
        };
        let (depot, hands, thing) = &*shared;
        let was_taken = depot.with(|has_it| !*has_it);
        let mut waited = false;
        for old in [1, 0] {
            depot.with(|_| hands.avoid(old));
            while !hands.are_empty(old) {
                waited = true;
                yield_now();
            }
        }
        if was_taken {
            assert!(thing.is_dead(), "it is not done, or nobody told");
        }
        WAITED.hit_if(was_taken && waited);
        DONE.hit_if(was_taken && !waited);
        NONE.hit_if(!was_taken);
        other.join().unwrap();
    });
    for branch in [&WAITED, &DONE, &NONE] {
        branch.check();
    }
}
