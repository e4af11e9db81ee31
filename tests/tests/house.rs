//! What this house is held to and no compiler checks.
//!
//! Each rule walks the sources of the workspace, and is shown a bad snippet that
//! it must complain about.

#[path = "house/rules.rs"]
mod rules;
#[path = "house/text.rs"]
mod text;

use text::{Source, workspace};

/// Fails with everything that the rule complains about.
#[track_caller]
fn hold(rule: impl Fn(&Source) -> Vec<String>) {
    let complaints: Vec<String> = workspace().iter().flat_map(rule).collect();
    let count = complaints.len();
    assert!(count == 0, "{count} complaints:\n{}", complaints.join("\n"));
}

/// Shows a rule a snippet at the given path; returns the complaints.
fn shown(rule: impl Fn(&Source) -> Vec<String>, path: &str, text: &str) -> Vec<String> {
    rule(&Source::new(path, text))
}

const LIBRARY: &str = "smr-core/src/raw/x.rs";

#[test]
fn atomics_come_through_one_door() {
    hold(rules::one_door);
    for bad in [
        "use core::sync::atomic::AtomicU64;",
        "use std::sync::atomic::{AtomicU64, Ordering};",
        "use std::sync::{Arc, atomic::AtomicU64};",
        "let x = std :: sync :: atomic::AtomicU64::new(0);",
        "use loom::sync::Arc;",
        "use shuttle::thread;",
    ] {
        assert_eq!(shown(rules::one_door, LIBRARY, bad).len(), 1, "{bad}");
    }
    for good in ["// core::sync::atomic", "use std::sync::{Arc, Mutex};"] {
        assert!(shown(rules::one_door, LIBRARY, good).is_empty(), "{good}");
    }
    let door = "smr-core/src/sync/native.rs";
    assert!(shown(rules::one_door, door, "use core::sync::atomic::AtomicU8;").is_empty());
}

#[test]
fn structures_do_not_know_each_other() {
    hold(rules::arrows);
    let bad = "use smr_list::List;";
    for path in ["smr-hashmap/src/raw/x.rs", "smr-core/src/x.rs"] {
        assert_eq!(shown(rules::arrows, path, bad).len(), 1, "{path}");
    }
    let manifest = "smr-radix/Cargo.toml";
    assert_eq!(
        shown(rules::arrows, manifest, "smr-hashmap.workspace = true").len(),
        1
    );
    for (path, good) in [
        (manifest, "smr-core.workspace = true\nname = \"smr-radix\""),
        ("smr-list/src/lib.rs", "use smr_core::Pool;"),
        ("smr-list/src/lib.rs", "//! See smr_radix."),
        ("benches/src/x.rs", bad),
    ] {
        assert!(shown(rules::arrows, path, good).is_empty(), "{good}");
    }
}

#[test]
fn files_are_small() {
    hold(rules::size);
    assert_eq!(shown(rules::size, LIBRARY, &"x();\n".repeat(601)).len(), 1);
    assert!(shown(rules::size, LIBRARY, &"x();\n".repeat(600)).is_empty());
}

#[test]
fn unsafe_code_lives_in_raw_modules_and_on_the_listed_faces() {
    hold(rules::unsafe_rooms);
    assert_eq!(rules::idle_faces(&workspace()), [""; 0]);
    let face = "smr-core/src/seq.rs";
    for bad in [
        "unsafe { f() }",
        "unsafe impl Send for X {}",
        "unsafe extern \"C\" {}",
    ] {
        assert_eq!(shown(rules::unsafe_rooms, face, bad).len(), 1, "{bad}");
        assert!(shown(rules::unsafe_rooms, LIBRARY, bad).is_empty());
    }
    // So in the structures, whose faces need none at all.
    let bad = "unsafe { f() }";
    for face in ["smr-hashmap/src/map.rs", "smr-hashmap/src/set/iter.rs"] {
        assert_eq!(shown(rules::unsafe_rooms, face, bad).len(), 1, "{face}");
    }
    assert!(shown(rules::unsafe_rooms, "smr-hashmap/src/raw/x.rs", bad).is_empty());
    // A face may ask for a promise; it may not rely on one.
    assert!(shown(rules::unsafe_rooms, face, "unsafe fn f();").is_empty());
    assert!(shown(rules::unsafe_rooms, face, "// unsafe {").is_empty());
    assert_eq!(rules::idle_faces(&[]).len(), rules::FACES.len());
}

#[test]
fn nothing_is_left_for_later() {
    hold(rules::finished);
    let later = ["TO", "DO"].concat();
    for bad in [
        format!("// {later}: write it"),
        ["// FIX", "ME"].concat(),
        ["to", "do!()"].concat(),
        ["unimple", "mented!()"].concat(),
        ["db", "g!(x)"].concat(),
        "#[ignore]".to_owned(),
        "/// ```ignore".to_owned(),
    ] {
        assert_eq!(shown(rules::finished, LIBRARY, &bad).len(), 1, "{bad}");
    }
    let good = "#[ignore = \"takes a minute: cargo test -- --ignored\"]";
    assert!(shown(rules::finished, LIBRARY, good).is_empty());
}

#[test]
fn orderings_say_why() {
    hold(rules::orderings);
    let bad = "self.word.load(Ordering::Acquire);";
    assert_eq!(shown(rules::orderings, LIBRARY, bad).len(), 1);
    let far = format!(
        "// Acquire: pairs with the Release in `f`.\n{}{bad}",
        "x();\n".repeat(6)
    );
    assert_eq!(shown(rules::orderings, LIBRARY, &far).len(), 1);
    let mute = format!("// Loads the word.\n{bad}");
    assert_eq!(shown(rules::orderings, LIBRARY, &mute).len(), 1);
    let mute = "// Acquire, as elsewhere.\nself.word.load(Ordering::Acquire);";
    assert_eq!(
        shown(rules::orderings, LIBRARY, mute).len(),
        1,
        "no partner"
    );
    for good in [
        format!("// Acquire: pairs with the Release in `f`.\n{bad}"),
        "// Relaxed: a counter.\nself.n.fetch_add(1, Ordering::Relaxed);".to_owned(),
        "//! # Orderings\n//!\n//! `word` is Relaxed everywhere: a hint.\n\nself\n    .word\n    \
         .load(Ordering::Relaxed);"
            .to_owned(),
    ] {
        assert!(shown(rules::orderings, LIBRARY, &good).is_empty(), "{good}");
    }
    let other = "//! # Orderings\n//!\n//! `other` is Relaxed.\n\n\n\n\n\n\nx.word.load(Ordering::Relaxed);";
    assert_eq!(shown(rules::orderings, LIBRARY, other).len(), 1);
}

#[test]
fn links_lead_somewhere() {
    hold(rules::links);
    let bad = "see [the map](NOWHERE.md#words) and [code](smr-core/src/nothing.rs)";
    assert_eq!(shown(rules::links, "README.md", bad).len(), 2);
    let good = "[a](ARCHITECTURE.md#words), [b](https://example.org/x), [c](#here), [d](tests/)";
    assert!(shown(rules::links, "README.md", good).is_empty());
    assert!(
        shown(
            rules::links,
            "tests/litmus/README.md",
            "[up](../../README.md)"
        )
        .is_empty()
    );
}

#[test]
fn no_path_belongs_to_one_machine() {
    hold(rules::machine_paths);
    for place in ["ho", "ro"].map(|start| format!("cd /{start}")) {
        let end = if place.ends_with("ho") {
            "me/me"
        } else {
            "ot/x"
        };
        assert_eq!(
            shown(rules::machine_paths, "README.md", &(place + end)).len(),
            1
        );
    }
    assert!(shown(rules::machine_paths, "README.md", "cd /tmp/x").is_empty());
}
