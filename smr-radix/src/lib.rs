//! A concurrent radix tree over integer keys: an ordered map that is read without
//! waiting and without a write. What page caches, tables of extents, of handles and
//! of identifiers are built on.
//!
//! | type | what it is | a look-up returns |
//! |---|---|---|
//! | [`RadixTree<K, V>`] | values at a stable address, each beside its key | `&V` |
//! | [`InlineTree<K, V>`] | small `Copy` values in the nodes themselves | `V` |
//!
//! Both are a [`Tree`], which has the methods. Keys are what implements [`Key`]:
//! integers of up to 64 bits, and new types over them.
//!
//! ```
//! use smr_radix::RadixTree;
//!
//! let tree = RadixTree::new();
//! let guard = tree.guard();
//! tree.insert(20_u64, "twenty", &guard);
//! tree.insert(10, "ten", &guard);
//! let ten = tree.get(10, &guard);
//! tree.remove(10, &guard);
//! assert_eq!(ten, Some(&"ten"), "the guard keeps what it saw");
//! assert_eq!(tree.get_ge(11, &guard), Some((20, &"twenty")));
//! assert!(tree.range(..15, &guard).next().is_none());
//! ```
//!
//! Chapters: [a guide](docs::guide), [from other maps](docs::migrating),
//! [how it works](docs::algorithm), [orderings](docs::orderings),
//! [limitations](docs::limitations).
//!
//! # Guards
//!
//! What a tree returns are references into it. A guard of the tree's domain keeps them
//! alive, also when the entry is removed meanwhile. They end before the guard does, and
//! before the tree; [`contracts`] has examples of what the compiler refuses. Methods
//! take a [`smr_core::Guard`], and what dereferences to one: [`Tree::guard`],
//! [`Tree::owned_guard`], which may be held over `.await`, and [`smr_core::pin`]. One
//! guard serves all structures of a domain. A guard of another domain makes a method
//! panic.
//!
//! # From the kernels' trees
//!
//! The names are those of recent versions, and not all versions have all of them. The
//! `PCTRIE_` ones have the name of the trie in front.
//!
//! | FreeBSD: `vm_radix`, `pctrie` | Linux: XArray, page cache | here |
//! |---|---|---|
//! | `vm_radix_init`, `PCTRIE_DEFINE_SMR` | `xa_init`, `DEFINE_XARRAY` | [`Tree::new`], [`Tree::new_in`] |
//! | `vm_radix_lookup`, `lookup_unlocked`, `PCTRIE_LOOKUP` | `xa_load` | [`Tree::get`] |
//! | look up unlocked, acquire, look again | `filemap_get_entry`: load, `folio_try_get`, `xas_reload` | [`Tree::cursor`], [`Cursor::still_current`] |
//! | `vm_radix_insert`, `PCTRIE_INSERT` | `xa_insert` | [`Tree::try_insert`] |
//! | `PCTRIE_FIND_OR_INSERT` | `xa_cmpxchg` from `NULL` | [`Tree::get_or_insert_with`], [`Tree::try_insert`] |
//! | `vm_radix_insert_lookup_lt`, `PCTRIE_INSERT_LOOKUP_LE` | | [`Tree::insert_with_predecessor`] |
//! | `vm_radix_iter_insert`: from where the iterator is | | [`Tree::insert_batch`] |
//! | `vm_radix_replace`, `PCTRIE_REPLACE`, which cannot fail | `xa_store` over an entry, `replace_page_cache_folio` | [`Tree::replace`] |
//! | | `xa_store`, `xas_store` | [`Tree::insert`]; [`Tree::try_insert_alloc`], where memory may be refused |
//! | | `xa_cmpxchg` | [`Tree::compare_exchange`], [`Tree::compute`] |
//! | | `xa_mk_value`: an integer in the place of a pointer | [`InlineTree`] |
//! | `vm_radix_remove`, `PCTRIE_REMOVE`, `PCTRIE_REMOVE_LOOKUP`, `vm_radix_iter_remove` | `xa_erase` | [`Tree::remove`] |
//! | `vm_radix_lookup_ge`, `_le`, `PCTRIE_LOOKUP_GE`, `_LE`, `vm_radix_iter_lookup_lt`: under the lock | `xa_find`, `xa_find_after` | [`Tree::get_ge`], [`Tree::get_gt`], [`Tree::get_le`], [`Tree::get_lt`]: without one |
//! | `VM_RADIX_FOREACH`, `VM_RADIX_FORALL` | `xa_for_each`, `xa_for_each_range` | [`Tree::iter`], [`Tree::range`] |
//! | | `xa_extract`: up to so many into an array | [`Tree::range`], [`Tree::range_marked`] with `take` |
//! | `vm_radix_lookup_range_unlocked`, `vm_page_next` | `filemap_get_folios_contig` | [`Tree::contiguous`] |
//! | `vm_radix_iter_init`, `iter_lookup`, `iter_step` | `XA_STATE`, `xas_find`, `xas_next`, `xas_prev` | [`Tree::cursor`], [`Cursor::seek`], [`Cursor::next`], [`Cursor::prev`] |
//! | `vm_radix_iter_stride`: so many keys on; `iter_jump`: there, or at the next entry | `xas_set`, and one of these | [`Cursor::seek`] |
//! | `vm_radix_iter_limit_init` | the last index that `xas_find` is given | [`Tree::range`] |
//! | drop the lock, look up again | `xas_pause` | [`Cursor::pause`], [`Tree::resume`] |
//! | | `page_cache_next_miss` | [`Tree::next_gap`] |
//! | `vm_object_page_remove` | `truncate_inode_pages_range` | [`Tree::remove_range`] |
//! | `PCTRIE_RECLAIM_CALLBACK` | `xa_destroy` after `xa_for_each` | [`Tree::clear`], `IntoIterator`, dropping the tree |
//! | `vm_radix_is_empty` | `xa_empty` | [`Tree::is_empty`] |
//! | | `xa_set_mark`, `xas_set_mark`, `xa_clear_mark`, `xa_get_mark` | [`Tree::set_mark`], [`Tree::clear_mark`], [`Tree::test_mark`] |
//! | | `xa_for_each_marked`, `filemap_get_folios_tag` | [`Tree::iter_marked`], [`Tree::range_marked`] |
//! | | `tag_pages_for_writeback` | [`Tree::set_mark_range`] |
//! | | `xa_marked` | [`Tree::iter_marked`] that is empty |
//! | | `xa_alloc` | [`Tree::next_gap`], then [`Tree::try_insert`] at it; again if another was faster |
//! | | `xa_alloc_cyclic` | the same from the key behind the last one on, and from the first once there is none |
//! | | `xa_reserve` | [`Tree::try_insert_alloc`] of a value that stands for none |
//! | | `xa_release` | [`Tree::remove_if`] it is still the value that stands for none |
//! | `vm_radix_wait`, preallocated zones | `xas_nomem` | [`Tree::try_insert_alloc`] |
//! | | `xa_store_range`: entries that span several indices | absent: one key an entry; an extent is found by [`Tree::get_le`] of a key in it |
//!
//! # What is promised
//!
//! | operation | progress | linearizes at |
//! |---|---|---|
//! | [`get`](Tree::get), [`contains_key`](Tree::contains_key), [`test_mark`](Tree::test_mark) | wait-free: as many steps as the key has digits; no write | the load of the slot; if that is frozen, a moment of the call at which the slot showed the same |
//! | [`insert`](Tree::insert), [`try_insert`](Tree::try_insert), [`replace`](Tree::replace), [`compare_exchange`](Tree::compare_exchange), [`update`](Tree::update), [`compute`](Tree::compute) and the like | lock-free | the exchange of the slot; where nothing is changed, as `get` |
//! | [`remove`](Tree::remove), [`remove_if`](Tree::remove_if) | lock-free | the exchange of the slot |
//! | [`get_ge`](Tree::get_ge) and its kin, [`first`](Tree::first), [`last`](Tree::last), [`range`](Tree::range), [`Cursor`] | each step lock-free, no write | each entry at an instant of its own |
//! | [`set_mark`](Tree::set_mark), [`clear_mark`](Tree::clear_mark) | lock-free | the change of the mark |
//! | [`remove_range`](Tree::remove_range), [`retain`](Tree::retain), [`clear`](Tree::clear), [`insert_batch`](Tree::insert_batch), [`set_mark_range`](Tree::set_mark_range) | lock-free | each entry by itself |
//!
//! A key that is replaced is never absent. Elements that are present throughout an
//! iteration are seen exactly once. An iteration, forwards or backwards, is strictly
//! ordered and keeps to its bounds; the instants at which its entries were there do not
//! go back; it never gives up and never starts over. The same holds for what a single
//! ordered query passes over: a key that was there throughout the call is never missed,
//! but two keys that come and go during the call may be seen in an order of their own.
//!
//! # When values are dropped
//!
//! What was removed or replaced is dropped when no section that could see it is left,
//! and never before. How soon after that:
//!
//! | | |
//! |---|---|
//! | the last reader leaves through a guard of the tree | at once, if a collection has failed because of it, or the last one was a millisecond ago; else as in the next row |
//! | guards of the tree come and go | at the first that ends after something was removed, unless that was done in the last millisecond; then at one of the next sixteen of a thread |
//! | entries are removed or replaced | two at each further one |
//! | [`Tree::flush`], [`Tree::barrier`] | at once; at the latest when it returns |
//! | guards of the domain, its `flush`, a thread's exit | not: values may borrow, so a domain does not reach a tree |
//! | the tree is dropped | all of it, before `drop` returns |
//!
//! Destructors run in the methods and guards of the tree. One that panics takes no
//! other value with it; two at once abort, as everywhere in Rust.
//!
//! # When memory runs out
//!
//! Look-ups, ordered queries and iterations ask for none. [`Tree::try_insert_alloc`]
//! returns an error, and the tree is as it was. Whatever else puts values ends the
//! process, as `Box::new` does, and so do removals and replacements when there is no
//! memory for what is removed to wait in; what an [`InlineTree`] keeps in its nodes does
//! not wait. Setting and clearing marks, and removing, ask for memory besides only where
//! they come to a node that another thread is just replacing, or had to give up replacing
//! because it changed meanwhile.
//!
//! # When not to use it
//!
//! * **Several keys must change in one step.** Each operation is atomic for its key
//!   alone.
//! * **Keys are not integers.** Strings want another tree.
//! * **No order is asked for, and keys are random.** A hash map finds a key in fewer
//!   loads.
//! * **A reader may stall inside a guard**, and what is removed meanwhile must not
//!   pile up: put the tree in a [`Domain`](smr_core::Domain) with a limit.
//!
//! # Features
//!
//! `serde`: `Serialize` and `Deserialize`, as a map.
#![cfg_attr(loom, allow(dead_code, unused_imports, unreachable_pub))]

#[cfg(not(loom))]
mod bounds;
#[cfg(not(loom))]
mod change;
#[cfg(not(loom))]
pub mod contracts;
#[cfg(not(loom))]
pub mod cursor;
#[cfg(not(loom))]
pub mod docs;
#[cfg(not(loom))]
pub mod iter;
mod key;
#[cfg(not(loom))]
mod mark;
#[cfg(all(test, loom, not(shuttle)))]
mod models;
mod ord;
mod raw;
#[cfg(all(feature = "serde", not(loom)))]
mod serde;
#[cfg(all(test, shuttle))]
mod shuffles;
#[cfg(not(loom))]
pub mod tree;
mod tunables;
mod value;

#[cfg(not(loom))]
pub use self::{
    change::{Change, Mismatch, Occupied},
    cursor::{Cursor, Paused},
    mark::Mark,
    raw::{Boxed, Inline, Policy},
    tree::{InlineTree, RadixTree, Tree},
};
pub use self::{key::Key, value::InlineValue};
