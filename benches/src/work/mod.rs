//! Programs from end to end, over real input.
