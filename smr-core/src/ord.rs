//! Every memory ordering that carries an argument, by name.
//!
//! Each entry says which access it belongs to, what it pairs with, and what it
//! would be weakened to. Under loom the environment variable `SMR_MUTANT` puts
//! the weaker one in place, and a model has to fail: see CONTRIBUTING.md. Of
//! `enter_wr`, `latch_claim` and `poll_wr` none can; why, say the survivors of
//! `tests/src/bin/mutants.rs`. The same shapes are judged under RC11, x86-TSO and
//! Armv8 by `tests/litmus`.

use crate::orderings;

orderings! {
    /// Enter loads `wr`. Pairs with [`advance_wr`]: a reader that publishes `s`
    /// has seen every unlink whose goal is at most `s`. No loom model needs it, for the
    /// light barrier is a fence there; the litmus shapes `enter-scan`, `clamp` and
    /// `two-writers` do, with the asymmetric one.
    enter_wr = Acquire, or Relaxed;

    /// Enter publishes its sequence. Pairs with [`scan_seq`]: a scan that reads
    /// this value, not the 0 of the exit before it, must still see what the
    /// earlier section did before memory is reused.
    enter_seq = Release, or Relaxed;

    /// Exit publishes 0. Pairs with [`scan_seq`]: the section's accesses happen
    /// before the reuse that the scan permits.
    exit_seq = Release, or Relaxed;

    /// A scan loads a reader's sequence. Pairs with [`enter_seq`], [`exit_seq`].
    scan_seq = Acquire, or Relaxed;

    /// Advance increments `wr` after the unlink. Release: pairs with
    /// [`enter_wr`] and [`poll_wr`]. Acquire: a goal is above every goal that
    /// the unlinking thread could know.
    advance_wr = AcqRel, or Relaxed;

    /// Poll loads `wr` before its heavy barrier. Pairs with [`advance_wr`].
    /// Weakening it alone changes nothing that can be observed: the goal that
    /// the caller holds came from an advance which already happened before, and the
    /// barrier acquires in its place.
    poll_wr = Acquire, or Relaxed;

    /// Poll raises `rd`. Release: pairs with [`poll_rd`], and hands on what the
    /// scan acquired from the readers.
    raise_rd = AcqRel, or Relaxed;

    /// Poll's short cut loads `rd`. Pairs with [`raise_rd`]: whoever reuses on
    /// another thread's scan inherits what that scan saw.
    poll_rd = Acquire, or Relaxed;

    /// A poll marks a reader that it has to wait for. Release: pairs with
    /// [`assist_take`], so that the reader finds what is to be collected: a poll that
    /// relies on a mark which is armed makes no barrier of its own.
    assist_arm = AcqRel, or Relaxed;

    /// The marked reader takes the mark at its exit. Pairs with [`assist_arm`].
    assist_take = AcqRel, or Relaxed;

    /// The owner leaves its latch. Pairs with [`latch_idle`].
    latch_leave = Release, or Relaxed;

    /// A stranger that holds the latch looks whether the owner is inside.
    /// Pairs with [`latch_leave`].
    latch_idle = Acquire, or Relaxed;

    /// A stranger gives the latch back. Pairs with [`latch_revoked`] and
    /// [`latch_claim`].
    latch_return = Release, or Relaxed;

    /// The owner looks whether a stranger holds the latch. Pairs with
    /// [`latch_return`].
    latch_revoked = Acquire, or Relaxed;

    /// A stranger claims the latch. Pairs with [`latch_return`]. Weakening it alone
    /// changes nothing that can be observed: the heavy barrier between the claim and what
    /// is behind the latch acquires in its place.
    latch_claim = Acquire, or Relaxed;

    /// A lock is taken. Pairs with [`lock_leave`].
    lock_enter = Acquire, or Relaxed;

    /// A lock is left. Pairs with [`lock_enter`].
    lock_leave = Release, or Relaxed;

    /// A slot is given back to the registry. Pairs with [`slot_claim`].
    slot_release = Release, or Relaxed;

    /// A slot is taken from the registry. Pairs with [`slot_release`].
    slot_claim = Acquire, or Relaxed;

    /// A new segment of slots is published. Pairs with [`segment_load`].
    segment_publish = Release, or Relaxed;

    /// A segment of slots is looked up. Pairs with [`segment_publish`].
    segment_load = Acquire, or Relaxed;

    /// A registration raises the count of slots. Release: pairs with
    /// [`used_load`].
    used_raise = AcqRel, or Relaxed;

    /// A walk loads the count of slots. Pairs with [`used_raise`]: the segments
    /// of the slots that it counts are there.
    used_load = Acquire, or Relaxed;

    /// A participant begins or ends to run destructors. Pairs with
    /// [`running_look`].
    running_mark = Release, or Relaxed;

    /// A barrier looks who runs destructors. Pairs with [`running_mark`]: what
    /// they did happens before the barrier's return.
    running_look = Acquire, or Relaxed;

    /// A batch of the depot's is done. Pairs with [`hands_look`].
    hands_leave = Release, or Relaxed;

    /// A barrier looks whether batches are in hand. Pairs with [`hands_leave`].
    hands_look = Acquire, or Relaxed;

    /// The value of a cell is replaced. Pairs with [`cell_load`], and with the
    /// replacement before.
    cell_swap = AcqRel, or Relaxed;

    /// The value of a cell is loaded. Pairs with [`cell_swap`].
    cell_load = Acquire, or Relaxed;

    /// A pool's inside is made. Pairs with [`pool_find`].
    pool_make = AcqRel, or Relaxed;

    /// A pool's inside is looked up. Pairs with [`pool_make`].
    pool_find = Acquire, or Relaxed;

    /// A participant's cache is put where it is found. Pairs with
    /// [`cache_find`].
    cache_publish = Release, or Relaxed;

    /// A participant's cache is looked up. Pairs with [`cache_publish`].
    cache_find = Acquire, or Relaxed;

    /// A handle of a domain goes. Pairs with itself: the last one, which
    /// collects, sees what was retired before the others went.
    handle_drop = AcqRel, or Relaxed;

    /// The shards of a counter are published. Pairs with [`counter_load`].
    counter_publish = Release, or Relaxed;

    /// The shards of a counter are looked up. Pairs with [`counter_publish`]: the
    /// counters are there.
    counter_load = Acquire, or Relaxed;
}
