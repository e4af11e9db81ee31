//! Who destroys what was retired, and when.
//!
//! Under loom every retire seals its bucket and polls, so each of these goes
//! through the whole of the core.

use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

use super::support::{Reached, Thing, explore, leave, slot};
use crate::domain::Domain;
use crate::raw::bucket::Bucket;
use crate::raw::deferred::Deferred;
use crate::raw::inner::Home;
use crate::raw::participant::Participant;

/// Things that are found one after the other. They outlive all that is done to
/// them: destroying one leaves its memory alone.
struct Shared<const N: usize> {
    current: AtomicUsize,
    things: std::sync::Arc<[Thing; N]>,
}

impl<const N: usize> Shared<N> {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            current: AtomicUsize::new(0),
            things: std::sync::Arc::new(std::array::from_fn(|_| Thing::new())),
        })
    }

    fn read(&self) {
        self.things[self.current.load(Ordering::Acquire)].read();
    }

    /// Puts the next thing in place and retires the one before.
    fn replace(&self, slot: &Participant) {
        let old = self.current.fetch_add(1, Ordering::AcqRel);
        self.retire(slot, old);
    }

    fn retire(&self, slot: &Participant, index: usize) {
        let things = std::sync::Arc::clone(&self.things);
        let what = Deferred::new(move || things[index].destroy());
        slot.domain().retire(Home::Own(slot), what, 8);
    }

    /// Puts the first thing into the bins of an owner, in a bucket of its own, and no
    /// more. Returns its goal.
    fn put(&self, slot: &Participant, advance: impl FnOnce() -> u64) -> u64 {
        let things = std::sync::Arc::clone(&self.things);
        let what = Deferred::new(move || things[0].destroy());
        slot.with_bins(|bins| {
            bins.push(what, 8, Bucket::with_capacity, advance);
            bins.next_goal().expect("the bucket is full")
        })
    }

    #[track_caller]
    fn check_dead(&self, things: core::ops::Range<usize>) {
        for index in things {
            assert!(self.things[index].is_dead(), "{index} was never destroyed");
        }
    }
}

fn scans(domain: &Domain) -> u64 {
    let scans = &domain.inner().counts.scans;
    scans.load(std::sync::atomic::Ordering::Relaxed)
}

/// A writer's poll fails because of a reader, and the writer stops. The reader's
/// exit destroys what it held up.
#[test]
fn exit_assist() {
    static ASSISTED: Reached = Reached::new("the reader destroys it");
    static ALONE: Reached = Reached::new("the writer destroys it");
    explore(3, || {
        let domain = Domain::new();
        let (reads, writes) = (slot(&domain), slot(&domain));
        let shared = Shared::<2>::new();
        let reader = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                reads.enter();
                shared.read();
                reads.exit();
            })
        };
        let old = shared.current.fetch_add(1, Ordering::AcqRel);
        let goal = domain.inner().clock.advance();
        if domain.inner().poll(goal) {
            ALONE.hit();
        } else {
            // Left to whom the poll has marked; nobody looks at it again here.
            let things = std::sync::Arc::clone(&shared.things);
            drop(things);
        }
        reader.join().unwrap();
        ASSISTED.hit_if(
            domain
                .inner()
                .counts
                .assists
                .load(std::sync::atomic::Ordering::Relaxed)
                != 0,
        );
        assert!(
            domain.inner().clock.is_expired(goal),
            "a failed poll was for nothing: nobody came after it"
        );
        shared.things[old].destroy();
        leave(reads);
        leave(writes);
    });
    ASSISTED.check();
    ALONE.check();
}

/// Two polls fail because of one reader, one of them on the mark of the other.
#[test]
fn exit_assist_of_two() {
    static ASSISTED: Reached = Reached::new("the reader destroys something");
    static JOINED: Reached = Reached::new("both polls fail");
    explore(2, || {
        let domain = Domain::new();
        let reads = slot(&domain);
        let poll = |domain: &Domain| {
            let goal = domain.inner().clock.advance();
            (goal, domain.inner().poll(goal))
        };
        let reader = thread::spawn(move || {
            reads.enter();
            reads.exit();
        });
        let other = {
            let domain = domain.clone();
            thread::spawn(move || poll(&domain))
        };
        let (mine, ours) = (poll(&domain), other.join().unwrap());
        reader.join().unwrap();
        JOINED.hit_if(!mine.1 && !ours.1);
        ASSISTED.hit_if(
            domain
                .inner()
                .counts
                .assists
                .load(std::sync::atomic::Ordering::Relaxed)
                != 0,
        );
        for (goal, _) in [mine, ours] {
            assert!(
                domain.inner().clock.is_expired(goal),
                "a failed poll was for nothing: nobody came after it"
            );
        }
        leave(reads);
    });
    ASSISTED.check();
    JOINED.check();
}

/// A poll fails on the mark of an earlier one, without a barrier of its own: the
/// reader that takes the mark has to see the later poll's goal through the mark
/// alone.
#[test]
fn exit_assist_of_a_later_poll() {
    static JOINED: Reached = Reached::new("the later poll fails without a scan");
    explore(2, || {
        let domain = Domain::new();
        let reads = slot(&domain);
        reads.enter();
        let inner = domain.inner();
        assert!(!inner.poll(inner.clock.advance()), "the reader is inside");
        let before = scans(&domain);
        let later = {
            let domain = domain.clone();
            thread::spawn(move || {
                let goal = domain.inner().clock.advance();
                (goal, domain.inner().poll(goal))
            })
        };
        drop(reads.exit());
        let (goal, expired) = later.join().unwrap();
        JOINED.hit_if(!expired && scans(&domain) == before + 1);
        assert!(
            inner.clock.is_expired(goal),
            "a failed poll was for nothing: nobody came after it"
        );
        leave(reads);
    });
    JOINED.check();
}

/// As above, where what the later poll wants collected is known by a flag of its
/// owner's alone, who stops then. The owner's slot is the first that a collection
/// looks at, so that nothing but the mark orders flag and look. (In `retire` a latch
/// lies between flag and poll, whose barrier orders them too, where it is a fence.)
#[test]
fn exit_assist_finds_the_later_garbage() {
    static JOINED: Reached = Reached::new("the later poll fails without a scan");
    static ALONE: Reached = Reached::new("the later poll succeeds");
    explore(2, || {
        let domain = Domain::new();
        let (writes, reads) = (slot(&domain), slot(&domain));
        let shared = Shared::<1>::new();
        reads.enter();
        let inner = domain.inner();
        assert!(!inner.poll(inner.clock.advance()), "the reader is inside");
        let before = scans(&domain);
        let later = {
            let (domain, shared) = (domain.clone(), Arc::clone(&shared));
            thread::spawn(move || {
                let clock = &domain.inner().clock;
                let goal = shared.put(writes, || clock.advance());
                writes.note_garbage();
                domain.inner().poll(goal)
            })
        };
        drop(reads.exit());
        let expired = later.join().unwrap();
        JOINED.hit_if(!expired && scans(&domain) == before + 1);
        ALONE.hit_if(expired);
        if !expired {
            shared.check_dead(0..1);
        }
        leave(writes);
        leave(reads);
        shared.check_dead(0..1);
    });
    JOINED.check();
    ALONE.check();
}

/// A writer's polls fail because of one reader, and it stops; meanwhile another came,
/// who is in the way of what was retired last and of nothing else. The end of the one
/// passes the rest on to the end of the other.
#[test]
fn a_reader_that_leaves_marks_one_that_came_later() {
    static PASSED_ON: Reached = Reached::new("both collect");
    static ALONE: Reached = Reached::new("the one that came first leaves last");
    explore(2, || {
        let domain = Domain::new();
        let (first, second, writes) = (slot(&domain), slot(&domain), slot(&domain));
        let shared = Shared::<4>::new();
        first.enter();
        shared.replace(writes);
        second.enter();
        // The next bucket has room for two.
        shared.replace(writes);
        shared.replace(writes);
        let leaves = thread::spawn(move || drop(first.exit()));
        drop(second.exit());
        leaves.join().unwrap();
        let assists = &domain.inner().counts.assists;
        let assists = assists.load(std::sync::atomic::Ordering::Relaxed);
        PASSED_ON.hit_if(assists == 2);
        ALONE.hit_if(assists == 1);
        shared.check_dead(0..3);
        leave(first);
        leave(second);
        leave(writes);
    });
    PASSED_ON.check();
    ALONE.check();
}

/// The owner goes on retiring while a stranger gathers what it has.
#[test]
fn gather_against_owner() {
    static TAKEN: Reached = Reached::new("the stranger takes what the owner retired");
    static KEPT: Reached = Reached::new("the owner keeps it");
    explore(2, || {
        let domain = Domain::new();
        let owner = slot(&domain);
        let shared = Shared::<3>::new();
        // Its own section holds up what it retires.
        owner.enter();
        shared.replace(owner);
        let stranger = {
            let domain = domain.clone();
            thread::spawn(move || domain.flush())
        };
        shared.replace(owner);
        let gathered = owner.with_bins(|bins| bins.is_empty());
        TAKEN.hit_if(gathered);
        KEPT.hit_if(!gathered);
        stranger.join().unwrap();
        drop(owner.exit());
        leave(owner);
        shared.check_dead(0..2);
    });
    TAKEN.check();
    KEPT.check();
}

/// A sweep comes while the owner is at its bins, and the owner retires no more:
/// one of the two destroys what lies there.
#[test]
fn a_missed_owner_collects() {
    static TAKEN: Reached = Reached::new("the sweep takes what the owner retired");
    static ASKED: Reached = Reached::new("the owner was missed, and collects");
    explore(2, || {
        let domain = Domain::new();
        let owner = slot(&domain);
        let shared = Shared::<1>::new();
        let things = std::sync::Arc::clone(&shared.things);
        let what = Deferred::new(move || things[0].destroy());
        owner.with_bins(|bins| {
            bins.push(what, 8, Bucket::with_capacity, || {
                domain.inner().clock.advance()
            })
        });
        owner.note_garbage();
        let sweep = {
            let domain = domain.clone();
            thread::spawn(move || domain.flush())
        };
        owner.with_bins(|_| ());
        owner.after_work(|| domain.inner().hand_over(owner));
        sweep.join().unwrap();
        let sweeps = domain
            .inner()
            .counts
            .sweeps
            .load(std::sync::atomic::Ordering::Relaxed);
        TAKEN.hit_if(sweeps == 1);
        ASKED.hit_if(sweeps == 2);
        shared.check_dead(0..1);
        leave(owner);
    });
    TAKEN.check();
    ASKED.check();
}

/// A thread that retired something exits while a reader holds it up, and its
/// slot goes to another thread, which retires as well.
#[test]
fn exit_hands_over() {
    static SAME: Reached = Reached::new("the slot changes hands");
    explore(2, || {
        let domain = Domain::new();
        let (reads, first) = (slot(&domain), slot(&domain));
        let shared = Shared::<3>::new();
        let reader = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                reads.enter();
                shared.read();
                reads.exit();
                leave(reads);
            })
        };
        shared.replace(first);
        leave(first);
        let second = slot(&domain);
        SAME.hit_if(second.index == first.index);
        shared.replace(second);
        leave(second);
        reader.join().unwrap();
        shared.check_dead(0..2);
    });
    SAME.check();
}

/// What is retired through no slot of the thread's own, from two threads.
#[test]
fn depot() {
    static READ: Reached = Reached::new("the reader finds the old thing");
    explore(2, || {
        let domain = Domain::new();
        let reads = slot(&domain);
        let shared = Shared::<2>::new();
        let reader = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                reads.enter();
                READ.hit_if(shared.current.load(Ordering::Relaxed) == 0);
                shared.read();
                reads.exit();
            })
        };
        let old = shared.current.fetch_add(1, Ordering::AcqRel);
        let things = std::sync::Arc::clone(&shared.things);
        domain.defer(move || things[old].destroy());
        reader.join().unwrap();
        shared.check_dead(0..1);
        leave(reads);
    });
    READ.check();
}

/// The last handle of the domain goes while a reader holds something up: it is
/// destroyed no later than the reader leaves, and the domain with it.
#[test]
fn close_against_exit() {
    static LATE: Reached = Reached::new("the reader closes up");
    static EARLY: Reached = Reached::new("the last handle closes up");
    explore(2, || {
        let domain = Domain::new();
        let (reads, writes) = (slot(&domain), slot(&domain));
        let shared = Shared::<2>::new();
        let reader = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                reads.enter();
                shared.read();
                drop(reads.exit());
                leave(reads);
            })
        };
        shared.replace(writes);
        leave(writes);
        EARLY.hit_if(!reads.is_active());
        LATE.hit_if(reads.is_active());
        drop(domain);
        reader.join().unwrap();
        shared.check_dead(0..1);
    });
    LATE.check();
    EARLY.check();
}

/// A thread retires something, lets go of the domain, and keeps its slot. Whoever
/// lets go last, the two of them or the thread alone, destroys it.
#[test]
fn close_finds_what_others_retired() {
    static OTHER: Reached = Reached::new("the one who did not retire closes up");
    static OWNER: Reached = Reached::new("the one who retired closes up");
    explore(2, || {
        let domain = Domain::new();
        let owner = slot(&domain);
        let shared = Shared::<1>::new();
        let other = {
            let (domain, shared) = (domain.clone(), Arc::clone(&shared));
            thread::spawn(move || {
                let clock = &domain.inner().clock;
                shared.put(owner, || clock.advance());
                owner.note_garbage();
                drop(domain);
            })
        };
        let is_last = domain.inner().handles.load(crate::sync::Ordering::Relaxed) == 1;
        OTHER.hit_if(is_last);
        OWNER.hit_if(!is_last);
        drop(domain);
        other.join().unwrap();
        shared.check_dead(0..1);
        leave(owner);
    });
    OTHER.check();
    OWNER.check();
}
