//! Safe memory reclamation by global unbounded sequences.
