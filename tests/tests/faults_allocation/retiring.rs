//! Retiring: with room at hand it needs no memory, without it may end the process.

use smr_core::{AllocError, DeferRoom, Domain, Pool, SmrCell};
use smr_hashmap::HashMap;

use super::support::{Drops, GENEROUS, process};
use super::{REFUSED, Refusal, Scarce, at_every_allocation, let_go};

#[test]
fn retiring_with_room() {
    let runs = at_every_allocation(|scarce| {
        let drops = Drops::default();
        let domain = Domain::new();
        let guard = domain.pin();
        let items = [(); 40].map(|()| Box::new(drops.one()));
        let mut refused = 0;
        for item in items {
            // The last step that may fail.
            let room = {
                let _scarce = scarce();
                DeferRoom::new()
            };
            let _scarce = Scarce::begin(Refusal::From(0));
            match room {
                Ok(room) => guard.defer_into(room, 8, move || drop(item)),
                Err(AllocError(())) => {
                    refused += 1;
                    drop(item);
                }
            }
            assert_eq!(REFUSED.get(), 0, "it asks for memory");
        }
        assert_eq!(drops.count(), refused);
        drop(guard);
        domain.try_barrier(GENEROUS).unwrap();
        assert_eq!(drops.count(), 40);
        drop((domain, drops));
        let_go();
        REFUSED.set(refused);
    });
    assert!(runs >= 2, "{runs}: nothing was refused");
}

/// Runs `body` in a process of its own, named by the test; there it must come to its
/// end, not undefined, and not silent.
fn ends_the_process(test: &str, body: impl FnOnce()) {
    let Some(output) = process::rerun(&format!("retiring::{test}")) else {
        body();
        unreachable!("there was no memory for it");
    };
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(said.contains("memory allocation of"), "{said}");
}

#[test]
fn what_has_no_error_to_return_ends_the_process() {
    ends_the_process("what_has_no_error_to_return_ends_the_process", || {
        let map: HashMap<u64, [u64; 1000]> = HashMap::new();
        let _scarce = Scarce::begin(Refusal::From(0));
        map.pin().insert(1, [1; 1000]);
    });
}

/// Memory is not what these try.
#[test]
fn trying_to_retire_to_a_domain_ends_the_process() {
    ends_the_process("trying_to_retire_to_a_domain_ends_the_process", || {
        let domain = Domain::new();
        drop(domain.pin());
        let _scarce = Scarce::begin(Refusal::From(0));
        let _ = domain.try_retire(7);
    });
}

#[test]
fn trying_to_retire_to_a_pool_ends_the_process() {
    ends_the_process("trying_to_retire_to_a_pool_ends_the_process", || {
        let pool = Pool::new_in(&Domain::new());
        let item = pool.alloc(7).into_raw();
        let _scarce = Scarce::begin(Refusal::From(0));
        // SAFETY: never published, retired once.
        let _ = unsafe { pool.try_retire(item) };
    });
}

#[test]
fn trying_to_retire_through_a_handle_ends_the_process() {
    ends_the_process("trying_to_retire_through_a_handle_ends_the_process", || {
        let pool = Pool::new_in(&Domain::new());
        let local = pool.register();
        let item = local.alloc(7).into_raw();
        let _scarce = Scarce::begin(Refusal::From(0));
        // SAFETY: never published, retired once.
        let _ = unsafe { local.try_retire(item) };
    });
}

#[test]
fn trying_to_update_a_cell_ends_the_process() {
    ends_the_process("trying_to_update_a_cell_ends_the_process", || {
        let cell = SmrCell::new_in(7, &Domain::new());
        let guard = cell.domain().pin();
        let scarce = Scarce::begin(Refusal::From(0));
        // Refusing needs no memory.
        assert_eq!(cell.try_update(&guard, |_| None), Err(&7));
        drop(scarce);
        let _scarce = Scarce::begin(Refusal::From(0));
        let _ = cell.try_update(&guard, |seven| Some(seven + 1));
    });
}
