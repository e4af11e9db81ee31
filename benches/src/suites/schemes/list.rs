//! The structure: an ordered list, lock-free, over any subject.
//!
//! After T. L. Harris (DISC 2001) and M. M. Michael (SPAA 2002): a node is
//! removed by a mark in its own link, which freezes the link, and then unlinked
//! by whoever comes by. Whoever unlinks gives up.
//!
//! # What a subject must do
//!
//! - *Sections* (sequences, epochs, RCU, Parsec, Hyaline): nothing but enter and
//!   leave. A look-up goes over marked nodes without a write, since what was
//!   reachable in the section stays memory until its end.
//! - *Each item for itself* ([`Local::EACH`]: hazard pointers, counts): an item
//!   is announced, and its source is looked at again. A source that is marked by
//!   then proves nothing, as the node behind it may be gone; so a look-up must
//!   take marked nodes out as a writer does, and begins anew when it comes too
//!   late.
//! - *Exclusive* ([`Local::EXCLUSIVE`]: a lock): writers enter to write. Readers
//!   then never see a mark, and exchanges never fail; they are paid for.
//!
//! # Orderings
//!
//! Links are loaded with Acquire and exchanged with AcqRel: who finds a node
//! finds it complete, and who marks or unlinks comes after who linked.

use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, Ordering};

use crate::subjects::Local;

use super::node::Node;

/// A link: the next node, with a mark in its lowest bit when the node that it
/// stands in is removed.
type Link = AtomicPtr<Node>;

const MARK: usize = 1;

fn marked(link: *mut Node) -> bool {
    link.addr() & MARK != 0
}

fn mark(link: *mut Node) -> *mut Node {
    link.map_addr(|addr| addr | MARK)
}

fn unmarked(link: *mut Node) -> *mut Node {
    link.map_addr(|addr| addr & !MARK)
}

/// Where a key is or would be.
struct Place<'g> {
    /// The link that leads there.
    before: &'g Link,
    /// The first node with this key or a larger one.
    node: *mut Node,
    /// Whether it has this key.
    found: bool,
}

/// Loads a link whose node may be used until the place is announced again,
/// unless the link is marked or null.
#[inline(always)]
fn protect<L: Local<Node>>(guard: &mut L::Guard<'_>, place: usize, source: &Link) -> *mut Node {
    if !L::EACH {
        return source.load(Ordering::Acquire);
    }
    loop {
        let link = source.load(Ordering::Acquire);
        L::announce(guard, place, unmarked(link));
        if source.load(Ordering::Acquire) == link {
            return link;
        }
    }
}

/// The places of the three nodes in hand, which take turns.
struct Turns(usize);

impl Turns {
    const NEXT: usize = 1;

    fn of(&self, ahead: usize) -> usize {
        (self.0 + ahead) % crate::subjects::ANNOUNCED
    }
}

/// Finds a place, and takes marked nodes out on the way.
#[inline(always)]
fn find<'g, L: Local<Node>>(
    head: &'g Link,
    key: u64,
    guard: &mut L::Guard<'_>,
    gone: &mut Vec<NonNull<Node>>,
) -> Place<'g> {
    'again: loop {
        let mut before = head;
        let mut turns = Turns(0);
        let mut node = protect::<L>(guard, turns.of(0), before);
        loop {
            let Some(inside) = NonNull::new(node) else {
                return Place {
                    before,
                    node,
                    found: false,
                };
            };
            // SAFETY: loaded from an unmarked link in this section, and
            // announced where that is asked for.
            let here: &'g Node = unsafe { inside.as_ref() };
            let next = protect::<L>(guard, turns.of(Turns::NEXT), &here.next);
            if L::EACH && before.load(Ordering::Acquire) != node {
                continue 'again;
            }
            if marked(next) {
                let unlinked = before.compare_exchange(
                    node,
                    unmarked(next),
                    Ordering::AcqRel,
                    Ordering::Relaxed,
                );
                if unlinked.is_err() {
                    continue 'again;
                }
                gone.push(inside);
                node = protect::<L>(guard, turns.of(0), before);
                if marked(node) {
                    continue 'again;
                }
                continue;
            }
            let found_key = here.key();
            if found_key >= key {
                return Place {
                    before,
                    node,
                    found: found_key == key,
                };
            }
            before = &here.next;
            // The next becomes the one in hand, and this one stays announced
            // behind it, since its link is still used.
            turns = Turns(turns.of(Turns::NEXT));
            node = next;
        }
    }
}

/// The value of a key.
#[inline(always)]
pub(super) fn get<L: Local<Node>>(
    head: &Link,
    key: u64,
    guard: &mut L::Guard<'_>,
    gone: &mut Vec<NonNull<Node>>,
) -> Option<u64> {
    if L::EACH {
        let place = find::<L>(head, key, guard, gone);
        // SAFETY: announced and looked at again by `find`.
        return place.found.then(|| unsafe { (*place.node).value() });
    }
    let mut node = unmarked(head.load(Ordering::Acquire));
    while let Some(inside) = NonNull::new(node) {
        // SAFETY: reachable in this section, so still memory.
        let here = unsafe { inside.as_ref() };
        let next = here.next.load(Ordering::Acquire);
        let found = here.key();
        if found >= key {
            return (found == key && !marked(next)).then(|| here.value());
        }
        node = unmarked(next);
    }
    None
}

/// Links a node unless its key is there; says whether it did. A node that is
/// not linked stays the caller's.
#[inline(always)]
pub(super) fn insert<L: Local<Node>>(
    head: &Link,
    key: u64,
    make: impl FnOnce() -> NonNull<Node>,
    guard: &mut L::Guard<'_>,
    gone: &mut Vec<NonNull<Node>>,
) -> bool {
    let mut place = find::<L>(head, key, guard, gone);
    if place.found {
        return false;
    }
    let fresh = make();
    loop {
        // SAFETY: not linked yet, hence ours.
        unsafe { fresh.as_ref() }
            .next
            .store(place.node, Ordering::Relaxed);
        let linked = place.before.compare_exchange(
            place.node,
            fresh.as_ptr(),
            Ordering::AcqRel,
            Ordering::Relaxed,
        );
        if linked.is_ok() {
            return true;
        }
        place = find::<L>(head, key, guard, gone);
        if place.found {
            // Never linked: it may be given up like one that was unlinked.
            gone.push(fresh);
            return false;
        }
    }
}

/// Removes a key; says whether it was there.
#[inline(always)]
pub(super) fn remove<L: Local<Node>>(
    head: &Link,
    key: u64,
    guard: &mut L::Guard<'_>,
    gone: &mut Vec<NonNull<Node>>,
) -> bool {
    loop {
        let place = find::<L>(head, key, guard, gone);
        if !place.found {
            return false;
        }
        // SAFETY: found in this section, and still announced.
        let node = unsafe { &*place.node };
        let next = node.next.load(Ordering::Acquire);
        if marked(next) {
            continue;
        }
        let removed =
            node.next
                .compare_exchange(next, mark(next), Ordering::AcqRel, Ordering::Relaxed);
        if removed.is_err() {
            continue;
        }
        let unlinked =
            place
                .before
                .compare_exchange(place.node, next, Ordering::AcqRel, Ordering::Relaxed);
        if unlinked.is_ok() {
            gone.extend(NonNull::new(place.node));
        } else {
            // Whoever passes takes it out; we do, so that it is soon.
            find::<L>(head, key, guard, gone);
        }
        return true;
    }
}

/// Takes a whole list apart, when nobody uses it any more; says how many nodes
/// of it were not marked.
pub(super) fn clear(head: &Link, gone: &mut Vec<NonNull<Node>>) -> u64 {
    let mut count = 0;
    let mut link = head.swap(ptr::null_mut(), Ordering::AcqRel);
    while let Some(node) = NonNull::new(unmarked(link)) {
        // SAFETY: nobody else uses the list, and it is retired after this.
        link = unsafe { node.as_ref() }.next.load(Ordering::Acquire);
        count += u64::from(!marked(link));
        gone.push(node);
    }
    count
}
