//! Where the unsafe code lives.

pub(crate) mod bins;
pub(crate) mod bucket;
pub(crate) mod deferred;
pub(crate) mod inner;
pub(crate) mod latch;
pub(crate) mod lock;
pub(crate) mod participant;
pub(crate) mod pools;
pub(crate) mod registry;
pub(crate) mod sweep;
