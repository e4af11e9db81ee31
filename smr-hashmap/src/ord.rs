//! Every memory ordering that carries an argument, by name.
//!
//! As in smr-core: each entry says what it pairs with, and what it would be weakened
//! to. Under loom the environment variable `SMR_MUTANT` puts the weaker one in
//! place, and a model has to fail: see CONTRIBUTING.md. Of `map_past_end` none can;
//! why, say the survivors of `tests/src/bin/mutants.rs`.

use smr_core::orderings;

orderings! {
    /// A slot is loaded. Pairs with [`map_slot_complete`] and [`map_slot_replace`]: the
    /// entry is there; with [`map_slot_complete`], [`map_slot_free`] and
    /// [`map_slot_freeze`] also for what the head was then.
    map_slot_load = Acquire, or Relaxed;

    /// A decided entry becomes visible. Release: pairs with [`map_slot_load`]: who removes
    /// it finds that the head names its slot.
    map_slot_complete = Release, or Relaxed;

    /// An entry takes another's place. Release: pairs with [`map_slot_load`].
    map_slot_replace = Release, or Relaxed;

    /// An entry goes. Release: pairs with [`map_slot_load`]: who finds it gone finds what
    /// came before, and that the head does not name its slot.
    map_slot_free = Release, or Relaxed;

    /// An entry is frozen. Release: pairs with [`map_slot_load`]: a writer that cannot
    /// change it finds that the head is frozen, and goes on.
    map_slot_freeze = Release, or Relaxed;

    /// A head is loaded. Pairs with all of the following.
    map_head_load = Acquire, or Relaxed;

    /// An insertion is decided. Release: pairs with [`map_head_load`]: who finds the slot
    /// named finds the claim in it, and all entries that were complete before.
    map_head_decide = Release, or Relaxed;

    /// A slot is taken out of the head. Release: pairs with [`map_head_load`]: the entry
    /// that it named was complete.
    map_head_unname = Release, or Relaxed;

    /// A bucket has no more entries than those in its line. Release: pairs with
    /// [`map_head_load`]: who does not look for others finds what came before they went.
    map_head_close = Release, or Relaxed;

    /// A bucket is frozen. Release: pairs with [`map_head_load`]: who finds it frozen
    /// finds the next table.
    map_head_freeze = Release, or Relaxed;

    /// A bucket of the next table is filled. Release: pairs with [`map_head_load`]: who
    /// finds it filled finds its slots.
    map_head_install = Release, or Relaxed;

    /// All of a bucket has moved. Release: pairs with [`map_head_load`]: who finds it so
    /// finds its targets filled.
    map_head_moved = Release, or Relaxed;

    /// More slots are published. Pairs with [`map_link_load`].
    map_link_publish = Release, or Relaxed;

    /// More slots are looked up. Pairs with [`map_link_publish`]: they are empty.
    map_link_load = Acquire, or Relaxed;

    /// A table is published: the first, or the one that replaces another. Pairs with
    /// [`map_table_load`].
    map_table_publish = Release, or Relaxed;

    /// The current table, or the next of one, is looked up. Pairs with
    /// [`map_table_publish`].
    map_table_load = Acquire, or Relaxed;

    /// Counts a claim whose buckets have moved. Release and Acquire pair with each other:
    /// whoever counts the last one of a round has seen all buckets move before it retires
    /// the table.
    map_moved_count = AcqRel, or Relaxed;

    /// One of its two owners leaves a table that was replaced. Release and Acquire pair
    /// with each other: the second frees what both have used. No loom model needs it, for
    /// loom does not watch where atomics are freed.
    map_past_end = AcqRel, or Relaxed;
}
