//! Notes which compiler builds the comparison, so that its output can say so;
//! with the feature `c-peers`, builds what speaks to the peers in C.

use std::process::Command;

fn main() {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc)
        .arg("--version")
        .output()
        .ok()
        .and_then(|out| String::from_utf8(out.stdout).ok())
        .unwrap_or_default();
    println!("cargo::rustc-env=SMR_BENCH_RUSTC={}", version.trim());
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "c-peers")]
    c_peers();
}

/// The few functions that the headers of the C libraries only inline.
#[cfg(feature = "c-peers")]
fn c_peers() {
    let mut build = cc::Build::new();
    // Not a shared object: the libraries' thread-locals are then one load away.
    build.pic(false).flag("-fPIE").warnings(true);
    for file in ["c/urcu.c", "c/ck.c"] {
        println!("cargo::rerun-if-changed={file}");
        build.file(file);
    }
    if let Err(error) = build.try_compile("smr-bench-c-peers") {
        println!("cargo::error={error}");
        println!(
            "cargo::error=the feature c-peers needs the headers of liburcu and Concurrency Kit: \
             apt-get install liburcu-dev libck-dev"
        );
    }
    for library in ["urcu-memb", "urcu-mb", "urcu-bp", "urcu-qsbr", "ck"] {
        println!("cargo::rustc-link-lib={library}");
    }
}
