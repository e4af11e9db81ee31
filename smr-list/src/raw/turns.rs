//! Taking turns at a word that everybody exchanges.
//!
//! Threads that exchange one word again and again send its line to and fro: nearly each
//! exchange misses, and many fail. So a thread that has lost leaves the word alone for
//! some microseconds, in which others do hundreds of operations with the line at home;
//! then it takes the line and somebody else loses. Nobody waits for anybody's progress:
//! the wait ends by the clock.
//!
//! Who loses where nobody has for a while meets an accident, and waits briefly. Each loss
//! that follows soon doubles the wait.
//!
//! # Orderings
//!
//! `turn` and `lost` are Relaxed: hints, which order nothing. Of two losses at once one may
//! be forgotten.

#[cfg(not(loom))]
mod imp {
    use std::time::{Duration, Instant};

    use smr_core::sync::{AtomicU32, Ordering, micros};

    use crate::tunables::{FIRST_TURN, LAST_TURN, LOSSES_WITHIN};

    /// How long to stay away from one word.
    #[derive(Debug)]
    pub(crate) struct Turns {
        /// In microseconds.
        turn: AtomicU32,
        /// When somebody lost last, in microseconds, modulo 2^32.
        lost: AtomicU32,
    }

    impl Turns {
        pub(crate) const fn new() -> Self {
            Self {
                turn: AtomicU32::new(FIRST_TURN),
                lost: AtomicU32::new(0),
            }
        }

        /// To be called after an exchange that failed.
        #[cold]
        #[inline(never)]
        pub(crate) fn wait(&self) {
            let begin = Instant::now();
            let now = micros();
            let since = now.wrapping_sub(self.lost.load(Ordering::Relaxed));
            let turn = next(self.turn.load(Ordering::Relaxed), since);
            self.turn.store(turn, Ordering::Relaxed);
            self.lost.store(now, Ordering::Relaxed);
            let turn = Duration::from_micros(turn.into());
            while begin.elapsed() < turn {
                core::hint::spin_loop();
            }
        }
    }

    /// The wait after one of `turn`, so long after the loss before.
    fn next(turn: u32, since: u32) -> u32 {
        if since > LOSSES_WITHIN {
            FIRST_TURN
        } else {
            (2 * turn).min(LAST_TURN)
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn waits_double_in_a_fight_and_are_short_after_a_pause() {
            let fight: Vec<u32> = core::iter::successors(Some(next(LAST_TURN, u32::MAX)), |turn| {
                Some(next(*turn, 1))
            })
            .take(8)
            .collect();
            assert_eq!(fight, [1, 2, 4, 8, 16, 32, 32, 32]);
            assert_eq!(next(LAST_TURN, LOSSES_WITHIN + 1), FIRST_TURN);
        }

        #[test]
        fn the_first_loss_is_an_accident() {
            let turns = Turns::new();
            let begin = Instant::now();
            turns.wait();
            assert!(begin.elapsed() >= Duration::from_micros(FIRST_TURN.into()));
            // Relaxed: our own store.
            assert_eq!(turns.turn.load(Ordering::Relaxed), FIRST_TURN);
        }
    }
}

#[cfg(loom)]
mod imp {
    /// Models try every order, and have no clock.
    #[derive(Debug)]
    pub(crate) struct Turns;

    impl Turns {
        pub(crate) const fn new() -> Self {
            Self
        }

        pub(crate) fn wait(&self) {}
    }
}

pub(crate) use imp::Turns;
