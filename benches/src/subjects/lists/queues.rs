//! Queues beside ours.

use std::collections::VecDeque;
use std::sync::mpsc;

use crossbeam_queue::SegQueue;
use parking_lot::Mutex;

use super::Sequence;
use crate::subjects::Subject;

/// crossbeam's queue of segments: values move out of it, nobody can look at them.
#[derive(Debug)]
pub(crate) struct Seg(SegQueue<u64>);

impl Subject for Seg {
    const NAME: &'static str = "segqueue";
    const ABOUT: &'static str = "crossbeam_queue::SegQueue";
}

impl Sequence for Seg {
    fn new() -> Self {
        Self(SegQueue::new())
    }

    #[inline(always)]
    fn push(&self, value: u64) {
        self.0.push(value);
    }

    #[inline(always)]
    fn pop(&self) -> Option<u64> {
        self.0.pop()
    }
}

/// sdd's queue, which scc offers as well.
#[derive(Debug)]
pub(crate) struct SddQueue(sdd::Queue<u64>);

impl Subject for SddQueue {
    const NAME: &'static str = "sdd-queue";
    const ABOUT: &'static str = "sdd::Queue";
}

impl Sequence for SddQueue {
    fn new() -> Self {
        Self(sdd::Queue::default())
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

/// The channel of std; its one receiver is shared under a lock.
#[derive(Debug)]
pub(crate) struct Channel {
    sender: mpsc::Sender<u64>,
    receiver: Mutex<mpsc::Receiver<u64>>,
}

impl Subject for Channel {
    const NAME: &'static str = "mpsc";
    const ABOUT: &'static str = "std::sync::mpsc, its receiver under a mutex";
}

impl Sequence for Channel {
    fn new() -> Self {
        let (sender, receiver) = mpsc::channel();
        Self {
            sender,
            receiver: Mutex::new(receiver),
        }
    }

    #[inline(always)]
    fn push(&self, value: u64) {
        self.sender.send(value).expect("the receiver lives");
    }

    #[inline(always)]
    fn pop(&self) -> Option<u64> {
        self.receiver.lock().try_recv().ok()
    }
}

/// A ring under a lock.
#[derive(Debug)]
pub(crate) struct Ring(Mutex<VecDeque<u64>>);

impl Subject for Ring {
    const NAME: &'static str = "mutex-vecdeque";
    const ABOUT: &'static str = "parking_lot::Mutex<VecDeque>";
}

impl Sequence for Ring {
    fn new() -> Self {
        Self(Mutex::default())
    }

    #[inline(always)]
    fn push(&self, value: u64) {
        self.0.lock().push_back(value);
    }

    #[inline(always)]
    fn pop(&self) -> Option<u64> {
        self.0.lock().pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subjects::lists::testing;

    #[test]
    fn the_adapters_do_as_told() {
        testing::comes_out::<Seg>(true);
        testing::comes_out::<SddQueue>(true);
        testing::comes_out::<Channel>(true);
        testing::comes_out::<Ring>(true);
    }
}
