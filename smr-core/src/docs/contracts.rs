//! What the compiler refuses, each next to what it takes.
//!
//! The examples that must not compile name the error that they must fail with;
//! a nightly compiler checks the name (`cargo +nightly test --doc`). The twin of
//! each differs in nothing but the mistake.
//!
//! # A reference ends with its guard
//!
//! ```compile_fail,E0505
//! # use smr_core::{Atomic, pin};
//! # use std::sync::atomic::Ordering::Acquire;
//! let shared = Atomic::new(7);
//! let guard = pin();
//! let seen = shared.load(Acquire, &guard);
//! drop(guard);
//! assert!(!seen.is_null());
//! ```
//!
//! ```
//! # use smr_core::{Atomic, pin};
//! # use std::sync::atomic::Ordering::Acquire;
//! let shared = Atomic::new(7);
//! let guard = pin();
//! let seen = shared.load(Acquire, &guard);
//! assert!(!seen.is_null());
//! drop(guard);
//! # unsafe { drop(shared.into_owned()) };
//! ```
//!
//! Also where the guard goes at the end of a block, or of a statement:
//!
//! ```compile_fail,E0597
//! # use smr_core::{SmrCell, pin};
//! let cell = SmrCell::new(7);
//! let seen = {
//!     let guard = pin();
//!     cell.load(&guard)
//! };
//! assert_eq!(*seen, 7);
//! ```
//!
//! ```compile_fail,E0716
//! # use smr_core::{SmrCell, pin};
//! let cell = SmrCell::new(7);
//! let seen = cell.load(&pin());
//! assert_eq!(*seen, 7);
//! ```
//!
//! ```
//! # use smr_core::{SmrCell, pin};
//! let cell = SmrCell::new(7);
//! let seen = {
//!     let guard = pin();
//!     *cell.load(&guard)
//! };
//! assert_eq!(seen, 7);
//! assert_eq!(*cell.load(&pin()), 7);
//! ```
//!
//! An owned guard is no way around it:
//!
//! ```compile_fail,E0505
//! # use smr_core::{Domain, SmrCell};
//! let cell = SmrCell::new(7);
//! let guard = Domain::global().owned_guard();
//! let seen = cell.load(&guard);
//! let task = std::thread::spawn(move || drop(guard));
//! assert_eq!(*seen, 7);
//! # task.join().unwrap();
//! ```
//!
//! ```
//! # use smr_core::{Domain, SmrCell};
//! let cell = SmrCell::new(7);
//! let guard = Domain::global().owned_guard();
//! let seen = cell.load(&guard);
//! assert_eq!(*seen, 7);
//! let task = std::thread::spawn(move || drop(guard));
//! # task.join().unwrap();
//! ```
//!
//! # A reference ends with its cell, and a box with its pool
//!
//! ```compile_fail,E0505
//! # use smr_core::{SmrCell, pin};
//! let cell = SmrCell::new(7);
//! let guard = pin();
//! let seen = cell.load(&guard);
//! drop(cell);
//! assert_eq!(*seen, 7);
//! ```
//!
//! ```compile_fail,E0505
//! let pool = smr_core::Pool::new();
//! let item = pool.alloc(7);
//! drop(pool);
//! assert_eq!(*item, 7);
//! ```
//!
//! ```
//! # use smr_core::{SmrCell, pin};
//! let cell = SmrCell::new(7);
//! let guard = pin();
//! let seen = cell.load(&guard);
//! assert_eq!(*seen, 7);
//! drop(cell);
//!
//! let pool = smr_core::Pool::new();
//! let item = pool.alloc(7);
//! assert_eq!(*item, 7);
//! drop(item);
//! drop(pool);
//! ```
//!
//! # No reference lives through a repin
//!
//! ```compile_fail,E0502
//! # use smr_core::{SmrCell, pin};
//! let cell = SmrCell::new(7);
//! let mut guard = pin();
//! let seen = cell.load(&guard);
//! guard.repin();
//! assert_eq!(*seen, 7);
//! ```
//!
//! ```compile_fail,E0502
//! # use smr_core::{SmrCell, pin};
//! let cell = SmrCell::new(7);
//! let mut guard = pin();
//! let seen = cell.load(&guard);
//! guard.repin_after(|| ());
//! assert_eq!(*seen, 7);
//! ```
//!
//! ```compile_fail,E0502
//! # use smr_core::{Domain, SmrCell};
//! let cell = SmrCell::new(7);
//! let mut guard = Domain::global().owned_guard();
//! let seen = cell.load(&guard);
//! guard.repin();
//! assert_eq!(*seen, 7);
//! ```
//!
//! ```
//! # use smr_core::{Domain, SmrCell, pin};
//! let cell = SmrCell::new(7);
//! let mut guard = pin();
//! assert_eq!(*cell.load(&guard), 7);
//! guard.repin();
//! guard.repin_after(|| ());
//! assert_eq!(*cell.load(&guard), 7);
//! let mut guard = Domain::global().owned_guard();
//! assert_eq!(*cell.load(&guard), 7);
//! guard.repin();
//! ```
//!
//! The guard inside an owned one is only lent, shared:
//!
//! ```compile_fail,E0596
//! let mut guard = smr_core::Domain::global().owned_guard();
//! guard.repin_after(|| ());
//! ```
//!
//! ```compile_fail,E0507
//! let guard = smr_core::Domain::global().owned_guard();
//! let inner: smr_core::Guard = *guard;
//! ```
//!
//! ```
//! let guard = smr_core::Domain::global().owned_guard();
//! let inner: &smr_core::Guard = &guard;
//! inner.flush();
//! ```
//!
//! # Guards and handles stay on their thread
//!
//! ```compile_fail,E0277
//! let guard = smr_core::pin();
//! std::thread::spawn(move || drop(guard));
//! ```
//!
//! ```compile_fail,E0277
//! let guard = smr_core::pin();
//! std::thread::scope(|scope| {
//!     scope.spawn(|| guard.flush());
//! });
//! ```
//!
//! ```compile_fail,E0277
//! let handle = smr_core::Domain::global().register();
//! std::thread::spawn(move || drop(handle));
//! ```
//!
//! ```compile_fail,E0277
//! let handle = smr_core::Domain::global().register();
//! std::thread::scope(|scope| {
//!     scope.spawn(|| drop(handle.pin()));
//! });
//! ```
//!
//! ```
//! let guard = smr_core::Domain::global().owned_guard();
//! std::thread::scope(|scope| {
//!     scope.spawn(|| guard.flush());
//! });
//! std::thread::spawn(move || drop(guard)).join().unwrap();
//! ```
//!
//! # Only what may be shared is shared
//!
//! ```compile_fail,E0277
//! # use smr_core::SmrCell;
//! let cell = SmrCell::new(std::cell::Cell::new(7));
//! std::thread::scope(|scope| {
//!     scope.spawn(|| cell.load_cloned());
//! });
//! ```
//!
//! ```compile_fail,E0277
//! # use smr_core::SmrCell;
//! let cell = SmrCell::new(std::rc::Rc::new(7));
//! std::thread::spawn(move || drop(cell));
//! ```
//!
//! ```
//! # use smr_core::SmrCell;
//! let cell = SmrCell::new(std::sync::Arc::new(7));
//! std::thread::scope(|scope| {
//!     scope.spawn(|| cell.load_cloned());
//! });
//! std::thread::spawn(move || drop(cell)).join().unwrap();
//! ```
//!
//! # What is retired may be dropped on any thread
//!
//! ```compile_fail,E0277
//! smr_core::Domain::global().retire(std::rc::Rc::new(7));
//! ```
//!
//! ```compile_fail,E0277
//! smr_core::pin().retire(std::rc::Rc::new(7));
//! ```
//!
//! ```compile_fail,E0277
//! let value = std::rc::Rc::new(7);
//! smr_core::pin().defer(move || drop(value));
//! ```
//!
//! ```compile_fail,E0277
//! let pool = smr_core::Pool::new();
//! let item = pool.alloc(std::rc::Rc::new(7)).into_raw();
//! unsafe { pool.retire(item) };
//! ```
//!
//! ```compile_fail,E0599
//! # use smr_core::SmrCell;
//! let cell = SmrCell::new(std::rc::Rc::new(7));
//! cell.store(std::rc::Rc::new(8));
//! ```
//!
//! ```
//! # use smr_core::SmrCell;
//! use std::sync::Arc;
//! smr_core::Domain::global().retire(Arc::new(7));
//! smr_core::pin().retire(Arc::new(7));
//! let value = Arc::new(7);
//! smr_core::pin().defer(move || drop(value));
//! let pool = smr_core::Pool::new();
//! let item = pool.alloc(Arc::new(7)).into_raw();
//! // SAFETY: nobody has seen it, and it is retired once.
//! unsafe { pool.retire(item) };
//! let cell = SmrCell::new(Arc::new(7));
//! cell.store(Arc::new(8));
//! ```
//!
//! # ... and at any later time
//!
//! ```compile_fail,E0597
//! let text = String::from("short-lived");
//! smr_core::Domain::global().retire(text.as_str());
//! ```
//!
//! ```compile_fail,E0373
//! let text = String::from("short-lived");
//! smr_core::pin().defer(|| text.len());
//! ```
//!
//! ```compile_fail,E0597
//! # use smr_core::SmrCell;
//! let text = String::from("short-lived");
//! let cell = SmrCell::new("");
//! cell.store(text.as_str());
//! ```
//!
//! ```
//! # use smr_core::SmrCell;
//! let text = String::from("owned");
//! smr_core::Domain::global().retire(text.clone());
//! let cell = SmrCell::new(String::new());
//! cell.store(text.clone());
//! smr_core::pin().defer(move || text.len());
//! ```
//!
//! # A pool that the domain reaches holds nothing that borrows
//!
//! ```compile_fail,E0597
//! let text = String::from("short-lived");
//! let pool = smr_core::Pool::new();
//! drop(pool.alloc(text.as_str()));
//! ```
//!
//! ```compile_fail,E0597
//! let text = String::from("short-lived");
//! let pool = smr_core::Pool::new_in(smr_core::Domain::global());
//! drop(pool.alloc(text.as_str()));
//! ```
//!
//! ```
//! let text = String::from("short-lived");
//! let pool = smr_core::Pool::scoped();
//! drop(pool.alloc(text.as_str()));
//! let pool = smr_core::Pool::scoped_in(smr_core::Domain::global());
//! drop(pool.alloc(text.as_str()));
//! ```
//!
//! A scoped one holds nothing that goes before it:
//!
//! ```compile_fail,E0597
//! let pool = smr_core::Pool::scoped();
//! {
//!     let text = String::from("short-lived");
//!     drop(pool.alloc(text.as_str()));
//! }
//! pool.flush();
//! ```
//!
//! ```
//! let pool = smr_core::Pool::scoped();
//! {
//!     let text = String::from("short-lived");
//!     drop(pool.alloc(text.clone()));
//! }
//! pool.flush();
//! ```
//!
//! # What is not checked is marked
//!
//! ```compile_fail,E0133
//! let guard = smr_core::unprotected();
//! ```
//!
//! ```compile_fail,E0133
//! let pool = smr_core::Pool::new();
//! pool.retire(pool.alloc(7).into_raw());
//! ```
//!
//! ```compile_fail,E0133
//! smr_core::pin().defer_unchecked(|| ());
//! ```
//!
//! ```
//! // SAFETY: nothing is shared.
//! let guard = unsafe { smr_core::unprotected() };
//! let pool = smr_core::Pool::new();
//! let item = pool.alloc(7).into_raw();
//! // SAFETY: nobody has seen it, and it is retired once.
//! unsafe { pool.retire(item) };
//! // SAFETY: it refers to nothing.
//! unsafe { guard.defer_unchecked(|| ()) };
//! ```
//!
//! # Who takes part is decided here
//!
//! ```compile_fail,E0277
//! struct Stranger;
//! impl smr_core::Participate for Stranger {}
//! ```
//!
//! ```
//! fn allocate(who: &impl smr_core::Participate) {
//!     drop(smr_core::Pool::new().alloc_in(who, 7));
//! }
//! allocate(&smr_core::pin());
//! ```
