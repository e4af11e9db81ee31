//! Who may be sent and shared: every public type, with values of every kind.

use std::cell::Cell;
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::MutexGuard;

use smr_list::{list, ordered_list, ordered_set, queue, rcu_list, stack};

/// What holds if nothing better is known: constants of a type come before those of
/// its traits, where their bounds hold.
trait Otherwise {
    const YES: bool = false;
}

struct IsSend<T>(PhantomData<T>);

impl<T> Otherwise for IsSend<T> {}

impl<T: Send> IsSend<T> {
    const YES: bool = true;
}

struct IsSync<T>(PhantomData<T>);

impl<T> Otherwise for IsSync<T> {}

impl<T: Sync> IsSync<T> {
    const YES: bool = true;
}

/// Whether a type is `Send`, and whether it is `Sync`.
macro_rules! may {
    ($type:ty) => {
        (IsSend::<$type>::YES, IsSync::<$type>::YES)
    };
}

/// Values that may be sent and shared, only sent, only shared, neither.
type Both = u32;
type Sent = Cell<u32>;
type Shared = MutexGuard<'static, u32>;
type Neither = Rc<u32>;

const ALL: (bool, bool) = (true, true);
const SENT: (bool, bool) = (true, false);
const NONE: (bool, bool) = (false, false);

#[test]
fn the_kinds_of_values_are_what_they_are_called() {
    assert_eq!(may!(Both), ALL);
    assert_eq!(may!(Sent), SENT);
    assert_eq!(may!(Shared), (false, true));
    assert_eq!(may!(Neither), NONE);
}

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
