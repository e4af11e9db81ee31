//! What the compiler refuses, each next to what it takes.
//!
//! The examples that must not compile name the error that they must fail with. The
//! twin of each differs in nothing but the mistake. Who may be sent and shared is told
//! for all types and kinds of values by `bounds.rs` in the tests of the workspace.
//!
//! # A reference ends before the guard
//!
//! ```compile_fail,E0505
//! let tree = smr_radix::RadixTree::from_iter([(1_u64, 1)]);
//! let guard = smr_core::pin();
//! let one = tree.get(1, &guard);
//! drop(guard);
//! assert_eq!(one, Some(&1));
//! ```
//!
//! ```
//! let tree = smr_radix::RadixTree::from_iter([(1_u64, 1)]);
//! let guard = smr_core::pin();
//! let one = tree.get(1, &guard);
//! assert_eq!(one, Some(&1));
//! drop(guard);
//! ```
//!
//! # A reference ends before the tree
//!
//! ```compile_fail,E0505
//! let tree = smr_radix::RadixTree::from_iter([(1_u64, 1)]);
//! let guard = smr_core::pin();
//! let one = tree.get(1, &guard);
//! drop(tree);
//! assert_eq!(one, Some(&1));
//! ```
//!
//! ```
//! let tree = smr_radix::RadixTree::from_iter([(1_u64, 1)]);
//! let guard = smr_core::pin();
//! let one = tree.get(1, &guard);
//! assert_eq!(one, Some(&1));
//! drop(tree);
//! ```
//!
//! # What was removed is a reference too
//!
//! ```compile_fail,E0505
//! let tree = smr_radix::RadixTree::from_iter([(1_u64, 1)]);
//! let guard = smr_core::pin();
//! let one = tree.remove(1, &guard);
//! drop(guard);
//! assert_eq!(one, Some(&1));
//! ```
//!
//! ```
//! let tree = smr_radix::InlineTree::from_iter([(1_u64, 1)]);
//! let guard = smr_core::pin();
//! let one = tree.remove(1, &guard);
//! drop(guard);
//! assert_eq!(one, Some(1), "values of an inline tree are copies");
//! ```
//!
//! # A cursor ends before the guard, and its place does not
//!
//! ```compile_fail,E0505
//! let tree = smr_radix::RadixTree::from_iter([(1_u64, 1)]);
//! let guard = tree.guard();
//! let cursor = tree.cursor(0, &guard);
//! drop(guard);
//! assert_eq!(cursor.key(), Some(1));
//! ```
//!
//! ```
//! let tree = smr_radix::RadixTree::from_iter([(1_u64, 1)]);
//! let guard = tree.guard();
//! let paused = tree.cursor(0, &guard).pause();
//! drop(guard);
//! assert_eq!(paused.key(), Some(1));
//! ```
//!
//! # A tree is drained by who has it alone
//!
//! ```compile_fail,E0502
//! let mut tree = smr_radix::RadixTree::from_iter([(1_u64, 1)]);
//! let guard = smr_core::pin();
//! let one = tree.get(1, &guard);
//! assert_eq!(tree.drain().count(), 1);
//! assert_eq!(one, Some(&1));
//! ```
//!
//! ```
//! let mut tree = smr_radix::RadixTree::from_iter([(1_u64, 1)]);
//! let guard = smr_core::pin();
//! let one = tree.get(1, &guard);
//! assert_eq!(one, Some(&1));
//! assert_eq!(tree.drain().count(), 1);
//! ```
//!
//! # A tree of what may not be shared is not shared
//!
//! ```compile_fail,E0277
//! let tree = smr_radix::RadixTree::from_iter([(1_u64, std::cell::Cell::new(1))]);
//! std::thread::scope(|scope| {
//!     scope.spawn(|| tree.len());
//! });
//! ```
//!
//! ```
//! let tree = smr_radix::RadixTree::from_iter([(1_u64, std::sync::atomic::AtomicU8::new(1))]);
//! std::thread::scope(|scope| {
//!     scope.spawn(|| tree.len());
//! });
//! ```
//!
//! # A tree of what may not be sent is not sent
//!
//! ```compile_fail,E0277
//! let tree = smr_radix::RadixTree::from_iter([(1_u64, std::rc::Rc::new(1))]);
//! std::thread::spawn(move || tree.len()).join().unwrap();
//! ```
//!
//! ```
//! let tree = smr_radix::RadixTree::from_iter([(1_u64, std::sync::Arc::new(1))]);
//! std::thread::spawn(move || tree.len()).join().unwrap();
//! ```
//!
//! ```compile_fail,E0277
//! let tree = smr_radix::InlineTree::from_iter([(1_u64, std::ptr::null::<u8>())]);
//! std::thread::spawn(move || tree.len()).join().unwrap();
//! ```
//!
//! ```
//! let tree = smr_radix::InlineTree::from_iter([(1_u64, 0_usize)]);
//! std::thread::spawn(move || tree.len()).join().unwrap();
//! ```
//!
//! # A guard that may end anywhere wants values that may be dropped anywhere
//!
//! ```compile_fail,E0277
//! let tree = smr_radix::RadixTree::from_iter([(1_u64, std::rc::Rc::new(1))]);
//! let guard = tree.owned_guard();
//! drop(guard);
//! ```
//!
//! ```
//! let tree = smr_radix::RadixTree::from_iter([(1_u64, std::sync::Arc::new(1))]);
//! let guard = tree.owned_guard();
//! drop(guard);
//! ```
//!
//! # A guard of a tree ends before the tree, and before what its values borrow
//!
//! ```compile_fail,E0505
//! let tree = smr_radix::RadixTree::from_iter([(1_u64, String::new())]);
//! let guard = tree.guard();
//! drop(tree);
//! drop(guard);
//! ```
//!
//! ```
//! let tree = smr_radix::RadixTree::from_iter([(1_u64, String::new())]);
//! let guard = tree.guard();
//! drop(guard);
//! drop(tree);
//! ```
//!
//! ```compile_fail,E0597
//! struct Loud<'a>(&'a str);
//! impl Drop for Loud<'_> {
//!     fn drop(&mut self) {
//!         assert_eq!(self.0, "borrowed");
//!     }
//! }
//! let tree = smr_radix::RadixTree::new();
//! let text = String::from("borrowed");
//! tree.insert(1_u64, Loud(&text), &tree.guard());
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
//! let tree = smr_radix::RadixTree::new();
//! tree.insert(1_u64, Loud(&text), &tree.guard());
//! ```
//!
//! # How values are kept is one of two ways
//!
//! ```compile_fail,E0277
//! let tree = smr_radix::InlineTree::<u64, String>::new();
//! assert!(tree.is_empty());
//! ```
//!
//! ```
//! let tree = smr_radix::RadixTree::<u64, String>::new();
//! assert!(tree.is_empty());
//! ```
