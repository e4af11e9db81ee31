//! Every memory ordering that carries an argument, by name.
//!
//! As in smr-core: each entry says what it pairs with, and what it would be weakened
//! to. Under loom the environment variable `SMR_MUTANT` puts the weaker one in
//! place, and a model has to fail: see CONTRIBUTING.md.

use smr_core::orderings;

orderings! {
    /// A bucket's word is loaded. Pairs with [`map_word_write`]: the block and the
    /// entries that it names are there.
    map_word_load = Acquire, or Relaxed;

    /// A bucket's word is replaced by one that names a new block. Release: pairs
    /// with [`map_word_load`].
    map_word_write = Release, or Relaxed;

    /// A bucket's word is frozen. Release: pairs with [`map_word_load`]: who finds
    /// a frozen word finds the next table.
    map_word_freeze = AcqRel, or Relaxed;

    /// An image of frozen buckets is installed in the next table. Release: pairs
    /// with [`map_word_load`].
    map_word_install = Release, or Relaxed;

    /// A bucket's word says that all of it has moved. Release: pairs with
    /// [`map_word_load`]: who finds it finds the images in the next table.
    map_word_moved = AcqRel, or Relaxed;

    /// A table is published: the first, or the one that replaces another. Pairs with
    /// [`map_table_load`].
    map_table_publish = Release, or Relaxed;

    /// The current table, or the next of one, is looked up. Pairs with
    /// [`map_table_publish`].
    map_table_load = Acquire, or Relaxed;

    /// Counts buckets that have moved. Release and Acquire pair with each other:
    /// whoever counts the last has seen all others move before it retires the
    /// table.
    map_moved_count = AcqRel, or Relaxed;

    /// One of its two owners leaves a table that was replaced. Release and Acquire pair
    /// with each other: the second frees what both have used.
    map_past_end = AcqRel, or Relaxed;
}
