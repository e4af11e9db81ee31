//! Concurrent linked lists whose readers never wait.
//!
//! | type | what it is | readers | writers |
//! |---|---|---|---|
//! | [`OrderedList`], [`OrderedSet`] | Harris's ordered list, a small map or set | wait-free `get`, no write | lock-free |
//! | [`List`] | push at the front, O(1) removal by handle | never wait, no write | lock-free |
//! | [`Stack`] | Treiber's stack | never wait, no write | lock-free |
//! | [`Queue`] | Michael and Scott's queue | never wait, no write | lock-free |
//! | [`RcuList`] | the kernel's RCU list | never wait, no write | one at a time |
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
//! One guard serves all lists of a domain. A guard of another domain makes a method
//! panic. [`smr_core::OwnedGuard`], which may be held over `.await`, dereferences
//! to a guard and works as well.
//!
//! # When values are dropped
//!
//! A removed value is dropped when no section can see it: two at each further
//! removal, all of them in the list's `flush`, and the rest with the list. Values
//! may borrow, so the domain's own collections do not reach a list: one that is no
//! longer written to keeps what its last removals left, until `flush` or its end.
//!
//! # Iterating
//!
//! Elements that are present throughout are seen exactly once. An iteration never
//! gives up and never starts over; it goes on from an element that is removed under
//! it. That of an ordered list is strictly increasing.
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

#[cfg(not(loom))]
mod entry;
#[cfg(not(loom))]
pub mod list;
#[cfg(all(test, loom))]
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
#[cfg(not(loom))]
pub mod stack;

#[cfg(not(loom))]
pub use self::{
    list::List, ordered_list::OrderedList, ordered_set::OrderedSet, queue::Queue,
    rcu_list::RcuList, stack::Stack,
};
