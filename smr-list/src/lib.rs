//! Concurrent linked lists whose readers never wait.
//!
//! | type | what it is | readers | writers |
//! |---|---|---|---|
//! | [`OrderedList`], [`OrderedSet`] | Harris's ordered list, a small map or set | wait-free `get`, no write | lock-free |
//! | [`List`] | push at the front, O(1) removal by handle | wait-free by handle, else lock-free; no write | lock-free |
//! | [`Stack`] | Treiber's stack | wait-free `peek`, no write | lock-free |
//! | [`Queue`] | a queue of segments | lock-free; a look at the front writes where a push is under way, iterating never does | lock-free |
//! | [`RcuList`] | the kernel's RCU list | wait-free, no write | one at a time |
//!
//! No reader waits for a writer. Iterating is lock-free, in an [`RcuList`] and over a
//! [`Stack`] wait-free in each step.
//!
//! ```
//! use smr_list::OrderedList;
//!
//! let list = OrderedList::new();
//! let guard = list.guard();
//! list.insert(2, "two", &guard);
//! list.insert(1, "one", &guard);
//! let two = list.get(&2, &guard);
//! list.remove(&2, &guard);
//! assert_eq!(two, Some(&"two"), "the guard keeps what it saw");
//! assert!(list.iter(&guard).eq([(&1, &"one")]));
//! ```
//!
//! Chapters: [a guide](docs::guide), [from the collections of `std` and
//! crossbeam](docs::migrating), [how each works](docs::algorithms),
//! [limitations](docs::limitations).
//!
//! # Guards
//!
//! What a list returns are references into it. A guard of the list's domain keeps
//! them alive, also when the element is removed meanwhile. They end before the
//! guard does, and before the list:
//!
//! ```compile_fail,E0505
//! let stack = smr_list::Stack::from_iter([1]);
//! let guard = smr_core::pin();
//! let one = stack.peek(&guard);
//! drop(guard);
//! assert_eq!(one, Some(&1));
//! ```
//!
//! ```compile_fail,E0505
//! let stack = smr_list::Stack::from_iter([1]);
//! let guard = smr_core::pin();
//! let one = stack.peek(&guard);
//! drop(stack);
//! assert_eq!(one, Some(&1));
//! ```
//!
//! ```
//! let stack = smr_list::Stack::from_iter([1]);
//! let guard = smr_core::pin();
//! let one = stack.peek(&guard);
//! assert_eq!(one, Some(&1));
//! drop(guard);
//! drop(stack);
//! ```
//!
//! Methods take a [`smr_core::Guard`], and what dereferences to one: the guards of a
//! list ([`OrderedList::guard`] and the like), [`smr_core::pin`], and
//! [`smr_core::OwnedGuard`], which may be held over `.await`. One guard serves all
//! lists of a domain. A guard of another domain makes a method panic.
//!
//! # When values are dropped
//!
//! What was removed is dropped when no section that could see it is left, and never
//! before. How soon after that:
//!
//! | | |
//! |---|---|
//! | the last reader leaves through a guard of the list | at once, if a collection has failed because of it, or the last one was a millisecond ago; else as in the next row |
//! | guards of the list come and go | at the first that ends after something was removed, unless that was done in the last millisecond; then at one of the next sixteen of a thread |
//! | elements are removed | two at each further removal |
//! | `flush`, `barrier` of the list | at once; at the latest when it returns |
//! | guards of the domain, its `flush`, a thread's exit | not: values may borrow, so a domain does not reach a list |
//! | the list is dropped | all of it, before `drop` returns; what was removed from an [`RcuList`] with [siblings](RcuList::sibling), with the last of them |
//!
//! A [`List`] keeps removed elements longer: they stay where they are until it sweeps.
//!
//! Destructors run in the methods and guards of the list. One that panics takes no
//! other value with it; two at once abort, as everywhere in Rust.
//!
//! # Iterating
//!
//! Elements that are present throughout are seen exactly once. An iteration never
//! gives up and never starts over; it goes on from an element that is removed under
//! it. That of an ordered list is strictly increasing.
//!
//! An element of an [`RcuList`] that is moved to the front meanwhile does not count as
//! present: its copy comes, and then it goes. It may be seen twice, or not at all: see
//! [`CursorMut::move_to_front`](rcu_list::CursorMut::move_to_front).
//!
//! # No `len`
//!
//! The lock-free lists have no O(1) length. A counter would be one word that all
//! writers fight for, where two of them in different places of a list have nothing
//! else in common; and it would say what the length was at some other moment than
//! that of any operation. Count with `iter`, or keep your own. `is_empty` is exact.
//!
//! # Features
//!
//! `serde`: `Serialize` and `Deserialize` for all lists.
#![cfg_attr(loom, allow(dead_code))]

/// A function that is `const` but under loom, whose atomics are not made so.
macro_rules! const_unless_modelled {
    ($(#[$attribute:meta])* $access:vis fn $($rest:tt)*) => {
        #[cfg(not(loom))]
        $(#[$attribute])*
        $access const fn $($rest)*

        #[cfg(loom)]
        $(#[$attribute])*
        $access fn $($rest)*
    };
}

#[cfg(not(loom))]
#[doc(hidden)]
pub mod contracts;
#[cfg(not(loom))]
pub mod docs;
#[cfg(not(loom))]
mod entry;
#[cfg(not(loom))]
pub mod list;
#[cfg(all(test, loom, not(shuttle)))]
mod models;
mod ord;
#[cfg(not(loom))]
pub mod ordered_list;
#[cfg(not(loom))]
pub mod ordered_set;
#[cfg(not(loom))]
pub mod queue;
mod raw;
#[cfg(not(loom))]
pub mod rcu_list;
#[cfg(all(feature = "serde", not(loom)))]
mod serde;
#[cfg(all(test, shuttle))]
mod shuffles;
#[cfg(not(loom))]
pub mod stack;
mod tunables;

#[cfg(not(loom))]
pub use self::{
    list::List, ordered_list::OrderedList, ordered_set::OrderedSet, queue::Queue,
    rcu_list::RcuList, stack::Stack,
};
