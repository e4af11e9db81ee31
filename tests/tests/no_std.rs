//! Without its features smr-core brings in no `std`.

use std::path::Path;
use std::process::{Command, Output};

fn build(features: &[&str]) -> Output {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--locked", "--manifest-path"])
        .arg(tests.join("no_std/Cargo.toml"))
        .arg("--target-dir")
        .arg(Path::new(env!("CARGO_TARGET_TMPDIR")).join("no_std"))
        .args(features)
        // What this build was given is not meant for that one.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .output()
        .expect("cargo runs")
}

#[test]
fn a_library_without_std_links_the_core() {
    let output = build(&[]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

#[test]
fn with_std_it_would_not_link() {
    let output = build(&["--features", "with-std"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "it linked");
    assert!(
        said.contains("E0152") && said.contains("panic_impl"),
        "{said}"
    );
}
