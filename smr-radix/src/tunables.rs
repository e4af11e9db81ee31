//! Every number that was chosen rather than derived, in one place.
