//! The containers of retired things, against models.

mod bins;
mod bucket;
mod deferred;
