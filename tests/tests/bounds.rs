//! Who may be sent and shared: every public type of the structures, with values of every
//! kind.

use std::cell::Cell;
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::MutexGuard;

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

#[path = "bounds/lists.rs"]
mod lists;
#[path = "bounds/map.rs"]
mod map;
#[path = "bounds/radix.rs"]
mod radix;
