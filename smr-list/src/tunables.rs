//! Every number that was chosen rather than derived, in one place.
//!
//! Under loom, and under `--cfg smr_tiny` in stress builds, they shrink, so that
//! limits are reached and every path is taken all the time.

const TINY: bool = cfg!(any(loom, smr_tiny));

/// Slots of a queue's segment.
pub(crate) const SLOTS: usize = if TINY { 2 } else { 64 };

/// Looks at a slot whose push is under way before a pop gives it up.
pub(crate) const LOOKS: usize = if TINY { 0 } else { 64 };

/// How long who has lost an exchange stays away from the word, in microseconds, where
/// nobody had lost for [`LOSSES_WITHIN`]; and at the most, where many do.
pub(crate) const FIRST_TURN: u32 = 1;
/// See [`FIRST_TURN`].
pub(crate) const LAST_TURN: u32 = 32;

/// Losses that are as close as this, in microseconds, are of one fight.
pub(crate) const LOSSES_WITHIN: u32 = 256;

/// Fewer marked nodes than this are no reason for a list with handles to sweep.
pub(crate) const SWEEP_AT_LEAST: usize = if cfg!(loom) { 1 } else { 32 };
