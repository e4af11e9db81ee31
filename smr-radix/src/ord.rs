//! Every memory ordering that carries an argument, by name.
//!
//! Each entry says what it pairs with and what it would be weakened to. Under
//! loom the environment variable `SMR_MUTANT` puts the weaker one in place, and a
//! model has to fail: see CONTRIBUTING.md.

use smr_core::orderings;

orderings! {
    /// A slot is followed. Pairs with every other entry: who finds a leaf or a node
    /// sees what is in it.
    radix_load = Acquire, or Relaxed;

    /// An entry comes into an empty slot. Pairs with [`radix_load`].
    radix_insert = Release, or Relaxed;

    /// A node with one entry comes into an empty slot. Pairs with [`radix_load`].
    radix_row = Release, or Relaxed;

    /// A slot's content goes below a new node, beside a new entry. Pairs with
    /// [`radix_load`].
    radix_split = Release, or Relaxed;

    /// An entry takes another's place. Pairs with [`radix_load`].
    radix_update = Release, or Relaxed;

    /// An entry goes. Pairs with [`radix_load`]: who finds that it has gone sees what
    /// came before its removal.
    radix_remove = Release, or Relaxed;

    /// What was built takes a frozen node's place. Pairs with [`radix_load`].
    radix_rebuild = Release, or Relaxed;

    /// A mark of an entry is set or taken away. Pairs with [`radix_load`]: who finds it
    /// so sees what came before.
    radix_mark = Release, or Relaxed;
}
