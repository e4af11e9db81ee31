//! The systems that the comparison is about.

/// The suites about reclamation.
pub(crate) const SUITES: [&str; 5] = ["section", "free", "churn", "stall", "schemes"];

/// In each of them; with a lock and without any reclamation for its ends.
const EVERYWHERE: [&str; 10] = [
    "smr",
    "smr-fallback",
    "crossbeam-epoch",
    "sdd",
    "tick-epoch",
    "parsec",
    "seize",
    "haphazard",
    "parking_lot-rwlock",
    "none",
];

/// Where items are allocated: arc-swap is a model of itself there.
const OVER_ITEMS: [&str; 3] = ["smr-malloc", "smr-fallback-malloc", "ref-counts"];

const IN_C: [&str; 5] = ["ck_epoch", "urcu-memb", "urcu-mb", "urcu-bp", "urcu-qsbr"];

/// How those that a suite must have are called in it, with or without the peers in C.
pub(crate) fn of(suite: &str, in_c: bool) -> Vec<&'static str> {
    let mut all = EVERYWHERE.to_vec();
    match suite {
        "section" => all.push("arc-swap"),
        _ => all.extend(OVER_ITEMS),
    }
    if suite == "free" {
        all.push("malloc");
    }
    if in_c {
        all.extend(IN_C);
        if suite != "section" {
            all.push("urcu-memb-defer");
        }
    }
    all
}
