//! Stacks beside ours.

use parking_lot::Mutex;

use super::Sequence;
use crate::subjects::Subject;

/// sdd's stack, which scc offers as well.
#[derive(Debug)]
pub(crate) struct SddStack(sdd::Stack<u64>);

impl Subject for SddStack {
    const NAME: &'static str = "sdd-stack";
    const ABOUT: &'static str = "sdd::Stack";
}

impl Sequence for SddStack {
    fn new() -> Self {
        Self(sdd::Stack::default())
    }

    #[inline(always)]
    fn push(&self, value: u64) {
        self.0.push(value);
    }

    #[inline(always)]
    fn pop(&self) -> Option<u64> {
        self.0.pop().map(|entry| **entry)
    }

    fn settle() {
        super::settle_sdd();
    }
}

/// A vector under a lock: it parks who has to wait.
#[derive(Debug)]
pub(crate) struct Parking(Mutex<Vec<u64>>);

impl Subject for Parking {
    const NAME: &'static str = "mutex-vec";
    const ABOUT: &'static str = "parking_lot::Mutex<Vec>";
}

impl Sequence for Parking {
    fn new() -> Self {
        Self(Mutex::default())
    }

    #[inline(always)]
    fn push(&self, value: u64) {
        self.0.lock().push(value);
    }

    #[inline(always)]
    fn pop(&self) -> Option<u64> {
        self.0.lock().pop()
    }
}

/// The same under the lock of std.
#[derive(Debug)]
pub(crate) struct Std(std::sync::Mutex<Vec<u64>>);

impl Subject for Std {
    const NAME: &'static str = "std-mutex-vec";
    const ABOUT: &'static str = "std::sync::Mutex<Vec>";
}

impl Sequence for Std {
    fn new() -> Self {
        Self(std::sync::Mutex::default())
    }

    #[inline(always)]
    fn push(&self, value: u64) {
        self.0.lock().expect("nobody panics inside").push(value);
    }

    #[inline(always)]
    fn pop(&self) -> Option<u64> {
        self.0.lock().expect("nobody panics inside").pop()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subjects::lists::testing;

    #[test]
    fn the_adapters_do_as_told() {
        testing::comes_out::<SddStack>(false);
        testing::comes_out::<Parking>(false);
        testing::comes_out::<Std>(false);
    }
}
