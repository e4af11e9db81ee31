//! What the compiler refuses, each next to what it takes.
//!
//! The examples that must not compile name the error that they must fail with. The
//! twin of each differs in nothing but the mistake. Who may be sent and shared is
//! told for all types and kinds of values by `bounds.rs` in the tests of the workspace.
//!
//! # A list of what may not be shared is not shared
//!
//! ```compile_fail,E0277
//! let list = smr_list::OrderedList::from_iter([(1, std::cell::Cell::new(1))]);
//! std::thread::scope(|scope| {
//!     scope.spawn(|| list.is_empty(&list.guard()));
//! });
//! ```
//!
//! ```
//! let list = smr_list::OrderedList::from_iter([(1, std::sync::atomic::AtomicU8::new(1))]);
//! std::thread::scope(|scope| {
//!     scope.spawn(|| list.is_empty(&list.guard()));
//! });
//! ```
//!
//! ```compile_fail,E0277
//! let list = smr_list::RcuList::from_iter([std::cell::Cell::new(1)]);
//! std::thread::scope(|scope| {
//!     scope.spawn(|| list.is_empty(&list.guard()));
//! });
//! ```
//!
//! ```
//! let list = smr_list::RcuList::from_iter([std::sync::atomic::AtomicU8::new(1)]);
//! std::thread::scope(|scope| {
//!     scope.spawn(|| list.is_empty(&list.guard()));
//! });
//! ```
//!
//! # A list of what may not be sent is not sent
//!
//! ```compile_fail,E0277
//! let list = smr_list::OrderedList::from_iter([(1, std::rc::Rc::new(1))]);
//! std::thread::spawn(move || list.is_empty(&list.guard())).join().unwrap();
//! ```
//!
//! ```
//! let list = smr_list::OrderedList::from_iter([(1, std::sync::Arc::new(1))]);
//! std::thread::spawn(move || list.is_empty(&list.guard())).join().unwrap();
//! ```
//!
//! ```compile_fail,E0277
//! let list = smr_list::RcuList::from_iter([std::rc::Rc::new(1)]);
//! std::thread::spawn(move || list.is_empty(&list.guard())).join().unwrap();
//! ```
//!
//! ```
//! let list = smr_list::RcuList::from_iter([std::sync::Arc::new(1)]);
//! std::thread::spawn(move || list.is_empty(&list.guard())).join().unwrap();
//! ```
//!
//! # A guard that may end anywhere wants values that may be dropped anywhere
//!
//! ```compile_fail,E0277
//! let list = smr_list::OrderedList::from_iter([(1, std::rc::Rc::new(1))]);
//! let guard = list.owned_guard();
//! drop(guard);
//! ```
//!
//! ```
//! let list = smr_list::OrderedList::from_iter([(1, std::sync::Arc::new(1))]);
//! let guard = list.owned_guard();
//! drop(guard);
//! ```
//!
//! ```compile_fail,E0277
//! let list = smr_list::OrderedSet::from_iter([std::rc::Rc::new(1)]);
//! let guard = list.owned_guard();
//! drop(guard);
//! ```
//!
//! ```
//! let list = smr_list::OrderedSet::from_iter([std::sync::Arc::new(1)]);
//! let guard = list.owned_guard();
//! drop(guard);
//! ```
//!
//! ```compile_fail,E0277
//! let list = smr_list::List::from_iter([std::rc::Rc::new(1)]);
//! let guard = list.owned_guard();
//! drop(guard);
//! ```
//!
//! ```
//! let list = smr_list::List::from_iter([std::sync::Arc::new(1)]);
//! let guard = list.owned_guard();
//! drop(guard);
//! ```
//!
//! ```compile_fail,E0277
//! let list = smr_list::Stack::from_iter([std::rc::Rc::new(1)]);
//! let guard = list.owned_guard();
//! drop(guard);
//! ```
//!
//! ```
//! let list = smr_list::Stack::from_iter([std::sync::Arc::new(1)]);
//! let guard = list.owned_guard();
//! drop(guard);
//! ```
//!
//! ```compile_fail,E0277
//! let list = smr_list::Queue::from_iter([std::rc::Rc::new(1)]);
//! let guard = list.owned_guard();
//! drop(guard);
//! ```
//!
//! ```
//! let list = smr_list::Queue::from_iter([std::sync::Arc::new(1)]);
//! let guard = list.owned_guard();
//! drop(guard);
//! ```
//!
//! ```compile_fail,E0277
//! let list = smr_list::RcuList::from_iter([std::rc::Rc::new(1)]);
//! let guard = list.owned_guard();
//! drop(guard);
//! ```
//!
//! ```
//! let list = smr_list::RcuList::from_iter([std::sync::Arc::new(1)]);
//! let guard = list.owned_guard();
//! drop(guard);
//! ```
//!
//! # A guard of a list ends before the list, and before what its values borrow
//!
//! ```compile_fail,E0505
//! let list = smr_list::Stack::from_iter([String::new()]);
//! let guard = list.guard();
//! drop(list);
//! drop(guard);
//! ```
//!
//! ```
//! let list = smr_list::Stack::from_iter([String::new()]);
//! let guard = list.guard();
//! drop(guard);
//! drop(list);
//! ```
//!
//! ```compile_fail,E0597
//! struct Loud<'a>(&'a str);
//! impl Drop for Loud<'_> {
//!     fn drop(&mut self) {
//!         assert_eq!(self.0, "borrowed");
//!     }
//! }
//! let list = smr_list::Stack::new();
//! let text = String::from("borrowed");
//! list.push(Loud(&text), &list.guard());
//! ```
//!
//! ```
//! struct Loud<'a>(&'a str);
//! impl Drop for Loud<'_> {
//!     fn drop(&mut self) {
//!         assert_eq!(self.0, "borrowed");
//!     }
//! }
//! let text = String::from("borrowed");
//! let list = smr_list::Stack::new();
//! list.push(Loud(&text), &list.guard());
//! ```
//!
//! # What a writer returned ends before the writer is used again
//!
//! ```compile_fail,E0499
//! let list = smr_list::RcuList::from_iter([1, 2]);
//! let mut writer = list.write();
//! let one = writer.pop_front();
//! writer.push_back(3);
//! assert_eq!(one, Some(&1));
//! ```
//!
//! ```
//! let list = smr_list::RcuList::from_iter([1, 2]);
//! let mut writer = list.write();
//! let one = writer.pop_front();
//! assert_eq!(one, Some(&1));
//! writer.push_back(3);
//! ```
//!
//! # A token writes to one list at a time
//!
//! ```compile_fail,E0499
//! use smr_list::rcu_list::{RcuList, WriteToken};
//! let mut token = WriteToken::new();
//! let list = RcuList::with_token(&token);
//! let mut one = list.write_with(&mut token).unwrap();
//! let mut other = list.write_with(&mut token).unwrap();
//! one.push_back(1);
//! other.push_back(2);
//! ```
//!
//! ```
//! use smr_list::rcu_list::{RcuList, WriteToken};
//! let mut token = WriteToken::new();
//! let list = RcuList::with_token(&token);
//! let mut one = list.write_with(&mut token).unwrap();
//! one.push_back(1);
//! drop(one);
//! let mut other = list.write_with(&mut token).unwrap();
//! other.push_back(2);
//! ```
