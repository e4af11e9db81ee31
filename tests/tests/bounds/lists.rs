//! The lists.

use smr_list::{list, ordered_list, ordered_set, queue, rcu_list, stack};

use super::*;

/// A list drops its values wherever it is, and shows them to all who share it.
macro_rules! owns {
    ($($type:ident)::+ $(, $more:ty)?) => {
        assert_eq!(may!($($type)::+<Both $(, $more)?>), ALL, stringify!($($type)::+));
        assert_eq!(may!($($type)::+<Sent $(, $more)?>), SENT, stringify!($($type)::+));
        assert_eq!(may!($($type)::+<Shared $(, $more)?>), NONE, stringify!($($type)::+));
        assert_eq!(may!($($type)::+<Neither $(, $more)?>), NONE, stringify!($($type)::+));
    };
}

type ByValue<V> = ordered_list::OrderedList<u32, V>;
type Drained<V> = list::Drain<'static, V>;

#[test]
fn a_list_is_sent_as_its_values_and_shared_if_they_are_both() {
    owns!(ordered_list::OrderedList, u32);
    owns!(ByValue);
    owns!(ordered_list::IntoIter, u32);
    assert_eq!(may!(ordered_set::OrderedSet<Both>), ALL);
    assert_eq!(may!(ordered_set::OrderedSet<Sent>), SENT);
    assert_eq!(may!(ordered_set::OrderedSet<Neither>), NONE);
    owns!(ordered_set::IntoIter);
    owns!(list::List);
    owns!(list::IntoIter);
    owns!(Drained);
    owns!(stack::Stack);
    owns!(stack::IntoIter);
    owns!(queue::Queue);
    owns!(queue::IntoIter);
    owns!(rcu_list::RcuList);
    owns!(rcu_list::IntoIter);
}

/// What has a guard of one thread stays there, whatever the values.
macro_rules! stays {
    ($($type:ty),* $(,)?) => {
        $(assert_eq!(may!($type), NONE, stringify!($type));)*
    };
}

#[test]
fn what_walks_a_list_stays_with_its_guard() {
    stays!(
        ordered_list::Iter<'static, Both, Both>,
        ordered_list::Cursor<'static, Both, Both>,
        ordered_list::Range<'static, Both, Both, Both, std::ops::RangeFull>,
        ordered_set::Cursor<'static, Both>,
        ordered_set::Iter<'static, Both>,
        stack::Iter<'static, Both>,
        stack::Drain<'static, Both>,
        queue::Iter<'static, Both>,
        rcu_list::Iter<'static, Both>,
        rcu_list::Writer<'static, Both>,
        rcu_list::CursorMut<'static, Both>,
    );
}

#[test]
fn a_handle_goes_anywhere_for_it_shows_nothing_by_itself() {
    assert_eq!(may!(list::Handle<Neither>), ALL);
    assert_eq!(may!(list::WrongList<Neither>), ALL);
    assert_eq!(may!(rcu_list::WriteToken), ALL);
}

#[test]
fn what_was_refused_is_as_its_parts() {
    assert_eq!(may!(ordered_list::Occupied<'static, Both, Both>), ALL);
    assert_eq!(may!(ordered_list::Occupied<'static, Sent, Both>), SENT);
    assert_eq!(may!(ordered_list::Occupied<'static, Both, Sent>), NONE);
}
