//! The comparison of reclamation systems.
fn main() {}
