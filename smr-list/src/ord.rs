//! Every memory ordering that carries an argument, by name.
//!
//! Each entry says what it pairs with and what it would be weakened to. Under
//! loom the environment variable `SMR_MUTANT` puts the weaker one in place, and a
//! model has to fail: see CONTRIBUTING.md.

use smr_core::orderings;

orderings! {
    /// A node is linked in. Pairs with [`link_walk`]: who finds it sees its value.
    link_publish = Release, or Relaxed;

    /// A link is followed. Pairs with [`link_publish`], [`link_mark`] and
    /// [`link_snip`].
    link_walk = Acquire, or Relaxed;

    /// A node is marked as removed. Pairs with [`link_walk`]: who finds that it
    /// has gone sees what came before its removal.
    link_mark = Release, or Relaxed;

    /// A node is marked and its replacement published by the same exchange.
    /// Pairs with [`link_walk`].
    link_replace = Release, or Relaxed;

    /// A chain of marked nodes is cut out. Pairs with [`link_walk`]: the node
    /// behind the chain was published by another thread, and is handed on.
    link_snip = Release, or Relaxed;

    /// The head of a stack moves on. Pairs with [`link_walk`]: a pop hands on what
    /// came before it, and the node below, which another thread published.
    stack_pop = AcqRel, or Relaxed;

    /// The head of a queue moves on. Pairs with [`link_walk`]: who comes to the next
    /// segment sees what is in it.
    queue_head = Release, or Relaxed;

    /// The tail of a queue moves on. Pairs with [`link_walk`]: who finds the segment
    /// through the tail sees that it is there.
    queue_tail = Release, or Relaxed;

    /// A slot is filled or given up. Pairs with [`queue_look`]: who finds the value
    /// sees it, and who finds the slot void sees that it had been claimed.
    queue_settle = Release, or Relaxed;

    /// A slot is looked at. Pairs with [`queue_settle`].
    queue_look = Acquire, or Relaxed;

    /// A value is popped. Pairs with [`queue_taken`]: who comes to the next slot sees
    /// the claims of all before it.
    queue_take = Release, or Relaxed;

    /// How many slots were popped. Pairs with [`queue_take`].
    queue_taken = Acquire, or Relaxed;

    /// The writer of an RCU list changes a link. Pairs with [`link_walk`].
    rcu_publish = Release, or Relaxed;
}
