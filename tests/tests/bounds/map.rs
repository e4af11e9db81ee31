//! The hash map and the hash set.

use smr_hashmap::set::{self, HashSetRef};
use smr_hashmap::{Compute, Drain, Entry, GetMany, HashMap, HashMapBuilder, HashMapRef, HashSet};
use smr_hashmap::{HashSetBuilder, IntoIter, Iter, Keys, LocalGuard, OccupiedEntry, OccupiedError};
use smr_hashmap::{Operation, OwnedGuard, TryReserveError, VacantEntry, Values};

use super::*;

/// A hasher that goes anywhere.
type Hasher = std::hash::RandomState;

/// A section that goes anywhere, and one that stays with its thread.
type Free = OwnedGuard<'static>;
type Bound = LocalGuard<'static>;

/// As keys, and as values of keys that may all: what is said of either.
macro_rules! of_kinds {
    ($type:ident $(<$life:lifetime>)?, [$($more:ty),*], $both:ident, $sent:ident, $shared:ident, $neither:ident) => {
        of_kinds!(@ $both, $type<$($life,)? Both, Both $(, $more)*>);
        of_kinds!(@ $sent, $type<$($life,)? Sent, Both $(, $more)*>, $type<$($life,)? Both, Sent $(, $more)*>);
        of_kinds!(@ $shared, $type<$($life,)? Shared, Both $(, $more)*>, $type<$($life,)? Both, Shared $(, $more)*>);
        of_kinds!(@ $neither, $type<$($life,)? Neither, Both $(, $more)*>, $type<$($life,)? Both, Neither $(, $more)*>);
    };
    (@ $may:ident, $($type:ty),+) => {
        $(assert_eq!(may!($type), $may, stringify!($type));)+
    };
}

/// The same of what holds keys alone.
macro_rules! of_keys {
    ($($type:ident)::+ $(<$life:lifetime>)?, [$($more:ty),*], $both:ident, $sent:ident, $shared:ident, $neither:ident) => {
        of_kinds!(@ $both, $($type)::+<$($life,)? Both $(, $more)*>);
        of_kinds!(@ $sent, $($type)::+<$($life,)? Sent $(, $more)*>);
        of_kinds!(@ $shared, $($type)::+<$($life,)? Shared $(, $more)*>);
        of_kinds!(@ $neither, $($type)::+<$($life,)? Neither $(, $more)*>);
    };
}

const SHARED: (bool, bool) = (false, true);

#[test]
fn a_map_is_sent_as_what_it_holds_and_shared_if_that_is_both() {
    of_kinds!(HashMap, [Hasher], ALL, SENT, NONE, NONE);
    of_keys!(HashSet, [Hasher], ALL, SENT, NONE, NONE);
}

#[test]
fn a_map_is_as_its_hasher() {
    assert_eq!(may!(HashMap<Both, Both, Sent>), SENT);
    assert_eq!(may!(HashMap<Both, Both, Shared>), SHARED);
    assert_eq!(may!(HashMap<Both, Both, Neither>), NONE);
    assert_eq!(may!(HashSet<Both, Neither>), NONE);
}

#[test]
fn what_makes_a_map_holds_nothing_but_the_hasher() {
    of_kinds!(HashMapBuilder, [Hasher], ALL, ALL, ALL, ALL);
    of_keys!(HashSetBuilder, [Hasher], ALL, ALL, ALL, ALL);
    assert_eq!(may!(HashMapBuilder<Both, Both, Sent>), SENT);
    assert_eq!(may!(HashSetBuilder<Both, Neither>), NONE);
}

#[test]
fn what_takes_entries_out_is_sent_as_they_are() {
    // A shared one does nothing.
    of_kinds!(IntoIter, [], ALL, SENT, SHARED, NONE);
    of_kinds!(Drain<'static>, [], ALL, SENT, SHARED, NONE);
    of_keys!(set::IntoIter, [], ALL, SENT, SHARED, NONE);
    of_keys!(set::Drain<'static>, [], ALL, SENT, SHARED, NONE);
}

#[test]
fn a_guard_of_a_thread_stays_and_an_owned_one_goes_anywhere() {
    assert_eq!(may!(Bound), NONE);
    assert_eq!(may!(Free), ALL);
}

#[test]
fn a_pinned_reference_goes_where_both_its_parts_may() {
    of_kinds!(HashMapRef<'static>, [Hasher, Free], ALL, NONE, NONE, NONE);
    of_kinds!(HashMapRef<'static>, [Hasher, Bound], NONE, NONE, NONE, NONE);
    of_keys!(HashSetRef<'static>, [Hasher, Free], ALL, NONE, NONE, NONE);
    of_keys!(HashSetRef<'static>, [Hasher, Bound], NONE, NONE, NONE, NONE);
}

#[test]
fn what_walks_a_map_goes_where_entries_are_shared_and_its_guard_is() {
    // It hands out references, and no more.
    of_kinds!(Iter<'static>, [Free], ALL, NONE, ALL, NONE);
    of_kinds!(Keys<'static>, [Free], ALL, NONE, ALL, NONE);
    of_kinds!(Values<'static>, [Free], ALL, NONE, ALL, NONE);
    of_keys!(set::Iter<'static>, [Free], ALL, NONE, ALL, NONE);
    of_kinds!(Iter<'static>, [Bound], NONE, NONE, NONE, NONE);
    of_kinds!(Keys<'static>, [Bound], NONE, NONE, NONE, NONE);
    of_kinds!(Values<'static>, [Bound], NONE, NONE, NONE, NONE);
    of_keys!(set::Iter<'static>, [Bound], NONE, NONE, NONE, NONE);
}

#[test]
fn what_works_in_a_section_stays_with_its_thread() {
    type Many<K, V> = GetMany<'static, 'static, K, V, Hasher, K, std::slice::Iter<'static, K>>;
    of_kinds!(Many, [], NONE, NONE, NONE, NONE);
    of_kinds!(Entry<'static>, [Hasher], NONE, NONE, NONE, NONE);
    of_kinds!(OccupiedEntry<'static>, [Hasher], NONE, NONE, NONE, NONE);
    of_kinds!(VacantEntry<'static>, [Hasher], NONE, NONE, NONE, NONE);
}

#[test]
fn what_an_operation_returns_is_as_its_parts() {
    assert_eq!(may!(TryReserveError), ALL);
    of_keys!(OccupiedError<'static>, [], ALL, NONE, SHARED, NONE);
    of_kinds!(Operation, [], ALL, SENT, SHARED, NONE);
    // References to an entry, and what was returned.
    of_kinds!(Compute<'static>, [Both], ALL, NONE, ALL, NONE);
    of_kinds!(Compute<'static>, [Sent], SENT, NONE, SENT, NONE);
}
