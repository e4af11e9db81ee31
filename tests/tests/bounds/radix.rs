//! The radix tree.

use smr_radix::{Boxed, Change, Cursor, Inline, InlineTree, Mark, Mismatch, Occupied};
use smr_radix::{Paused, RadixTree, iter, tree};

use super::*;

/// A small value that may be neither.
type Pointer = *const u8;

#[test]
fn a_tree_is_sent_as_its_values_and_shared_if_they_are_both() {
    assert_eq!(may!(RadixTree<u64, Both>), ALL);
    assert_eq!(may!(RadixTree<u64, Sent>), SENT);
    assert_eq!(may!(RadixTree<u64, Shared>), NONE);
    assert_eq!(may!(RadixTree<u64, Neither>), NONE);
    assert_eq!(may!(InlineTree<u64, Both>), ALL);
    assert_eq!(may!(InlineTree<u64, Pointer>), NONE);
}

#[test]
fn what_takes_values_out_is_sent_as_they_are() {
    assert!(may!(tree::IntoIter<u64, Boxed<Both>>).0);
    assert!(may!(tree::IntoIter<u64, Boxed<Sent>>).0);
    assert_eq!(may!(tree::IntoIter<u64, Boxed<Shared>>), NONE);
    assert_eq!(may!(tree::IntoIter<u64, Boxed<Neither>>), NONE);
    assert_eq!(may!(tree::IntoIter<u64, Inline<Pointer>>), NONE);
    assert_eq!(may!(tree::Drain<'static, u64, Boxed<Neither>>), NONE);
    assert_eq!(may!(tree::Drain<'static, u64, Inline<Pointer>>), NONE);
}

/// What has a guard of one thread stays there, whatever the values.
macro_rules! stays {
    ($($type:ident),* $(,)?) => {
        $(
            assert_eq!(may!($type<'static, u64, Boxed<Both>>), NONE, stringify!($type));
            assert_eq!(may!($type<'static, u64, Inline<Both>>), NONE, stringify!($type));
        )*
    };
}

#[test]
fn what_walks_a_tree_stays_with_its_guard() {
    use iter::{Contiguous, Iter, Keys, Marked, Values};
    stays!(Iter, Keys, Values, Contiguous, Marked, Cursor);
}

#[test]
fn what_holds_nothing_of_a_tree_goes_anywhere() {
    assert_eq!(may!(Paused<u64>), ALL);
    assert_eq!(may!(Mark), ALL);
}

#[test]
fn what_was_refused_is_as_its_parts() {
    assert_eq!(may!(Occupied<&'static Both, Both>), ALL);
    assert_eq!(may!(Occupied<&'static Both, Sent>), SENT);
    assert_eq!(may!(Occupied<&'static Sent, Both>), NONE);
    assert_eq!(may!(Mismatch<&'static Both, Both>), ALL);
    assert_eq!(may!(Mismatch<&'static Sent, Both>), NONE);
    assert_eq!(may!(Change<Neither>), NONE);
}
