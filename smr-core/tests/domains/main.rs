//! Domains, their guards and their pools: all that may share a process. What forks, counts
//! in the global domain, sets hooks or is compiled without `std` is beside this folder.

mod async_guard;
mod builder;
mod clock;
mod collecting;
mod corners;
mod domain;
mod limits;
mod local_pool;
mod meeting_sweeps;
mod pool;
mod pool_api;
mod pool_ends;
mod pool_section;
mod retire;
mod retire_inside;
mod sections;
#[path = "../support/mod.rs"]
mod support;
mod together;
mod writers_that_stop;
