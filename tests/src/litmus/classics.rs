//! The checker checked: tests from the literature whose verdicts are known.
//!
//! Each goes both ways: strong enough, and a step weaker. Programs are written
//! in shorthand and expanded to the real language, so that the parser is
//! exercised as well: `x = 1 rel`, `r0 = x acq`, `r0 = x += 1 rlx`,
//! `fence sc`, `light`, `heavy`; a variable in capitals is plain memory.

use super::parse::parse as parse_program;
use super::program::ParseError;
use super::{Model, Test, Verdict};
use Model::{Arm, ArmMb, Rc11, Rc11Mb, Rc11Old, X86, X86Mb};
use Verdict::{Allowed, Forbidden, Race};

fn parse(text: &str) -> Result<Test, ParseError> {
    parse_program(text, &[]).map(Test::new)
}

fn order(word: &str) -> &'static str {
    match word {
        "rlx" => "memory_order_relaxed",
        "acq" => "memory_order_acquire",
        "rel" => "memory_order_release",
        "ar" => "memory_order_acq_rel",
        "sc" => "memory_order_seq_cst",
        other => panic!("{other} is no ordering"),
    }
}

fn expand(statement: &str) -> String {
    let words: Vec<&str> = statement.split_whitespace().collect();
    let place = |w: &str| w.chars().all(|c| matches!(c, 'a' | 'f' | 'x' | 'y' | 'z'));
    match words[..] {
        ["light"] => "atomic_thread_fence(memory_order_seq_cst); // light".to_owned(),
        ["heavy"] => "atomic_thread_fence(memory_order_seq_cst); // heavy".to_owned(),
        ["fence", o] => format!("atomic_thread_fence({});", order(o)),
        ["D", "=", v] => format!("*D = {v};"),
        [r, "=", "D"] => format!("int {r} = *D;"),
        ["if", r, v, "then", r2, "=", "D"] => format!("if ({r} == {v}) {{ int {r2} = *D; }}"),
        ["if", r, v, "then", "D", "=", w] => format!("if ({r} == {v}) {{ *D = {w}; }}"),
        [r, "=", x, "+=", v, o] => {
            format!(
                "int {r} = atomic_fetch_add_explicit({x}, {v}, {});",
                order(o)
            )
        }
        [r, "=", x, "swap", v, o] => {
            format!(
                "int {r} = atomic_exchange_explicit({x}, {v}, {});",
                order(o)
            )
        }
        [x, "=", v, o] if place(x) => format!("atomic_store_explicit({x}, {v}, {});", order(o)),
        [r, "=", x, o] if place(x) => format!("int {r} = atomic_load_explicit({x}, {});", order(o)),
        _ => panic!("cannot expand {statement}"),
    }
}

/// Threads are separated by `||`, statements by `;`.
fn verdict(threads: &str, outcome: &str, model: Model) -> Verdict {
    let mut text = String::from("C classic\n{}\n");
    for (i, thread) in threads.split("||").enumerate() {
        text.push_str(&format!(
            "P{i}(atomic_int *x, atomic_int *y, atomic_int *z, atomic_int *f, int *D) {{\n"
        ));
        for statement in thread.split(';').map(str::trim).filter(|s| !s.is_empty()) {
            text.push_str(&format!("  {}\n", expand(statement)));
        }
        text.push_str("}\n");
    }
    text.push_str(&format!("exists ({outcome})\n"));
    let program = parse(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    program.check(model).verdict
}

fn expect(threads: &str, outcome: &str, wanted: &[(Model, Verdict)]) {
    for &(model, want) in wanted {
        let got = verdict(threads, outcome, model);
        assert_eq!(got, want, "{} on {threads} / {outcome}", model.name());
    }
}

#[test]
fn message_passing() {
    let stale = r"1:r0=1 /\ 1:r1=0";
    let all = |v| [(Rc11, v), (X86, Forbidden), (Arm, v)];
    expect(
        "x = 1 rlx; y = 1 rel || r0 = y acq; r1 = x rlx",
        stale,
        &all(Forbidden),
    );
    expect(
        "x = 1 rlx; y = 1 rlx || r0 = y acq; r1 = x rlx",
        stale,
        &all(Allowed),
    );
    expect(
        "x = 1 rlx; y = 1 rel || r0 = y rlx; r1 = x rlx",
        stale,
        &all(Allowed),
    );
    let fences = "x = 1 rlx; fence rel; y = 1 rlx || r0 = y rlx; fence acq; r1 = x rlx";
    expect(fences, stale, &all(Forbidden));
    let one = "x = 1 rlx; fence rel; y = 1 rlx || r0 = y rlx; r1 = x rlx";
    expect(one, stale, &all(Allowed));
    // A fence between the wrong accesses, and one that only acquires.
    let late = "x = 1 rlx; y = 1 rlx; fence sc || r0 = y rlx; fence acq; r1 = x rlx";
    expect(late, stale, &all(Allowed));
    let weak = "x = 1 rlx; fence acq; y = 1 rlx || r0 = y acq; r1 = x rlx";
    expect(weak, stale, &all(Allowed));
}

#[test]
fn races_on_plain_memory() {
    let seen = "1:r1=0";
    let good = "D = 1; x = 1 rel || r0 = x acq; if r0 1 then r1 = D";
    expect(
        good,
        r"1:r0=1 /\ 1:r1=0",
        &[(Rc11, Forbidden), (Rc11Mb, Forbidden)],
    );
    let weak = "D = 1; x = 1 rel || r0 = x rlx; if r0 1 then r1 = D";
    expect(weak, seen, &[(Rc11, Race), (Rc11Mb, Race)]);
    expect("D = 1 || r1 = D", "1:r1=2", &[(Rc11, Race)]);
    expect("D = 1 || D = 2", "D=3", &[(Rc11, Race)]);
    expect("r0 = D || r1 = D", "0:r0=1", &[(Rc11, Forbidden)]);
    // Reading on both sides of a flag does not race with a write after it.
    let after = "r0 = D; x = 1 rel || r1 = x acq; if r1 1 then D = 1";
    expect(
        after,
        "0:r0=1",
        &[(Rc11, Forbidden), (X86, Forbidden), (Arm, Forbidden)],
    );
    let early = "r0 = D; x = 1 rlx || r1 = x acq; if r1 1 then D = 1";
    expect(
        early,
        "0:r0=1",
        &[(Rc11, Race), (X86, Forbidden), (Arm, Allowed)],
    );
}

#[test]
fn store_buffering() {
    let both = r"0:r0=0 /\ 1:r1=0";
    let all = |v| [(Rc11, v), (X86, v), (Arm, v)];
    expect(
        "x = 1 rel; r0 = y acq || y = 1 rel; r1 = x acq",
        both,
        &all(Allowed),
    );
    expect(
        "x = 1 sc; r0 = y sc || y = 1 sc; r1 = x sc",
        both,
        &all(Forbidden),
    );
    let fenced = "x = 1 rlx; fence sc; r0 = y rlx || y = 1 rlx; fence sc; r1 = x rlx";
    expect(fenced, both, &all(Forbidden));
    let one = "x = 1 rlx; fence sc; r0 = y rlx || y = 1 rlx; r1 = x rlx";
    expect(one, both, &all(Allowed));
    let weak = "x = 1 rlx; fence sc; r0 = y rlx || y = 1 rlx; fence ar; r1 = x rlx";
    expect(
        weak,
        both,
        &[(Rc11, Allowed), (X86, Allowed), (Arm, Forbidden)],
    );
    // A locked instruction is a fence on x86, a seq_cst exchange is none in C.
    let swap = "r2 = x swap 1 sc; r0 = y rlx || r3 = y swap 1 sc; r1 = x rlx";
    expect(
        swap,
        both,
        &[(Rc11, Allowed), (X86, Forbidden), (Arm, Allowed)],
    );
}

#[test]
fn light_and_heavy_fences() {
    let both = r"0:r0=0 /\ 1:r1=0";
    let sb = |a: &str, b: &str| format!("x = 1 rlx; {a}; r0 = y rlx || y = 1 rlx; {b}; r1 = x rlx");
    let mb = |v| [(Rc11Mb, v), (X86Mb, v), (ArmMb, v)];
    expect(&sb("light", "heavy"), both, &mb(Forbidden));
    expect(&sb("heavy", "light"), both, &mb(Forbidden));
    expect(&sb("heavy", "heavy"), both, &mb(Forbidden));
    expect(&sb("light", "light"), both, &mb(Allowed));
    expect(&sb("light", "fence sc"), both, &mb(Allowed));
    expect(&sb("heavy", "fence sc"), both, &mb(Forbidden));
    let symmetric = |v| [(Rc11, v), (X86, v), (Arm, v)];
    expect(&sb("light", "light"), both, &symmetric(Forbidden));
    // Nothing but the order of seq_cst fences comes of a light fence.
    let mp = "x = 1 rlx; light; y = 1 rlx || r0 = y acq; r1 = x rlx";
    let stale = r"1:r0=1 /\ 1:r1=0";
    expect(
        mp,
        stale,
        &[(Rc11Mb, Allowed), (ArmMb, Allowed), (Rc11, Forbidden)],
    );
    let mp = "x = 1 rlx; heavy; y = 1 rlx || r0 = y acq; r1 = x rlx";
    expect(mp, stale, &[(Rc11Mb, Forbidden), (ArmMb, Forbidden)]);
    let mp = "x = 1 rlx; heavy; y = 1 rlx || r0 = y rlx; light; r1 = x rlx";
    expect(mp, stale, &[(Rc11Mb, Forbidden), (ArmMb, Forbidden)]);
}

#[test]
fn rings_of_light_and_heavy_fences() {
    let ring = |a: &str, b: &str, c: &str| {
        format!(
            "x = 1 rlx; {a}; r0 = y rlx || y = 1 rlx; {b}; r0 = z rlx || z = 1 rlx; {c}; r0 = x rlx"
        )
    };
    let none = r"0:r0=0 /\ 1:r0=0 /\ 2:r0=0";
    let mb = |v| [(Rc11Mb, v), (X86Mb, v), (ArmMb, v)];
    // One heavy fence does not order two light ones among themselves.
    expect(&ring("light", "light", "heavy"), none, &mb(Allowed));
    expect(&ring("light", "heavy", "heavy"), none, &mb(Forbidden));
    expect(&ring("light", "light", "light"), none, &mb(Allowed));
    // Next to a heavy fence a light one stands for a real one, also towards an
    // ordinary fence on its other side.
    expect(&ring("light", "fence sc", "heavy"), none, &mb(Forbidden));
    expect(&ring("fence sc", "light", "heavy"), none, &mb(Forbidden));
    expect(&ring("fence sc", "light", "light"), none, &mb(Allowed));
    expect(
        &ring("light", "fence ar", "heavy"),
        none,
        &[(Rc11Mb, Allowed), (X86Mb, Allowed)],
    );
    expect(&ring("fence sc", "fence sc", "light"), none, &mb(Allowed));
}

#[test]
fn load_buffering() {
    let both = r"0:r0=1 /\ 1:r1=1";
    let lb = "r0 = x rlx; y = 1 rlx || r1 = y rlx; x = 1 rlx";
    expect(
        lb,
        both,
        &[(Rc11, Forbidden), (X86, Forbidden), (Arm, Allowed)],
    );
    let lb = "r0 = x acq; y = 1 rlx || r1 = y rlx; x = 1 rel";
    expect(
        lb,
        both,
        &[(Rc11, Forbidden), (X86, Forbidden), (Arm, Forbidden)],
    );
}

#[test]
fn dependencies_on_arm() {
    let with = |code: &str| {
        let text = format!(
            "C deps\n{{}}\nP0(atomic_int *x, atomic_int *y) {{\n\
             int r = atomic_load_explicit(x, memory_order_relaxed);\n{code}\n}}\n\
             P1(atomic_int *x, atomic_int *y) {{\n\
             int r = atomic_load_explicit(y, memory_order_acquire);\n\
             atomic_store_explicit(x, 1, memory_order_relaxed);\n}}\n\
             exists (0:r=1 /\\ 1:r=1)\n"
        );
        let program = parse(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
        program.check(Arm).verdict
    };
    let free = "atomic_store_explicit(y, 1, memory_order_relaxed);";
    let data = "atomic_store_explicit(y, r, memory_order_relaxed);";
    let ctrl = "if (r == 1) { atomic_store_explicit(y, 1, memory_order_relaxed); }";
    assert_eq!(with(free), Allowed);
    assert_eq!(with(data), Forbidden);
    assert_eq!(with(ctrl), Forbidden);
}

#[test]
fn independent_reads_of_independent_writes() {
    let split = r"1:r0=1 /\ 1:r1=0 /\ 2:r0=1 /\ 2:r1=0";
    let iriw = |w: &str, a: &str, f: &str, b: &str| {
        format!(
            "x = 1 {w} || r0 = x {a}; {f} r1 = y {b} || r0 = y {a}; {f} r1 = x {b} || y = 1 {w}"
        )
    };
    let acquire = iriw("rel", "acq", "", "acq");
    expect(
        &acquire,
        split,
        &[(Rc11, Allowed), (X86, Forbidden), (Arm, Forbidden)],
    );
    expect(
        &iriw("rlx", "rlx", "", "rlx"),
        split,
        &[(Rc11, Allowed), (Arm, Allowed)],
    );
    expect(
        &iriw("sc", "sc", "", "sc"),
        split,
        &[(Rc11, Forbidden), (Arm, Forbidden)],
    );
    expect(
        &iriw("rlx", "rlx", "fence sc;", "rlx"),
        split,
        &[(Rc11, Forbidden)],
    );
    expect(
        &iriw("rlx", "rlx", "fence ar;", "rlx"),
        split,
        &[(Rc11, Allowed)],
    );
    // The weakening that RC11 makes so that Power can be compiled to.
    expect(&iriw("sc", "acq", "", "sc"), split, &[(Rc11, Allowed)]);
}

#[test]
fn two_plus_two_writes() {
    let crossed = r"x=1 /\ y=1";
    let ww = |o: &str, f: &str| format!("x = 1 {o}; {f} y = 2 {o} || y = 1 {o}; {f} x = 2 {o}");
    expect(
        &ww("rlx", ""),
        crossed,
        &[(Rc11, Allowed), (X86, Forbidden), (Arm, Allowed)],
    );
    // The release stores do not help in C, and do on AArch64.
    expect(
        &ww("rel", ""),
        crossed,
        &[(Rc11, Allowed), (Arm, Forbidden)],
    );
    expect(
        &ww("sc", ""),
        crossed,
        &[(Rc11, Forbidden), (Arm, Forbidden)],
    );
    expect(
        &ww("rlx", "fence sc;"),
        crossed,
        &[(Rc11, Forbidden), (Arm, Forbidden)],
    );
}

#[test]
fn causality_over_three_threads() {
    let wrc =
        |w: &str, r: &str| format!("x = 1 {w} || r0 = x {r}; y = 1 {w} || r0 = y {r}; r1 = x rlx");
    let lost = r"1:r0=1 /\ 2:r0=1 /\ 2:r1=0";
    expect(
        &wrc("rel", "acq"),
        lost,
        &[(Rc11, Forbidden), (X86, Forbidden), (Arm, Forbidden)],
    );
    expect(
        &wrc("rlx", "rlx"),
        lost,
        &[(Rc11, Allowed), (X86, Forbidden), (Arm, Allowed)],
    );
    let isa2 = |w: &str, r: &str| {
        format!("x = 1 rlx; y = 1 {w} || r0 = y {r}; z = 1 {w} || r0 = z {r}; r1 = x rlx")
    };
    expect(
        &isa2("rel", "acq"),
        lost,
        &[(Rc11, Forbidden), (X86, Forbidden), (Arm, Forbidden)],
    );
    expect(
        &isa2("rel", "rlx"),
        lost,
        &[(Rc11, Allowed), (X86, Forbidden), (Arm, Allowed)],
    );
    // Read-to-write causality: fences decide, and in RC11 they do in full.
    let rwc = |f: &str| {
        format!(
            "x = 1 rlx || r0 = x rlx; fence {f}; r1 = y rlx || y = 1 rlx; fence {f}; r0 = x rlx"
        )
    };
    let seen = r"1:r0=1 /\ 1:r1=0 /\ 2:r0=0";
    expect(
        &rwc("sc"),
        seen,
        &[(Rc11, Forbidden), (X86, Forbidden), (Arm, Forbidden)],
    );
    expect(&rwc("ar"), seen, &[(Rc11, Allowed), (X86, Allowed)]);
}

#[test]
fn one_location_is_coherent() {
    let all = [(Rc11, Forbidden), (X86, Forbidden), (Arm, Forbidden)];
    expect(
        "x = 1 rlx || r0 = x rlx; r1 = x rlx",
        r"1:r0=1 /\ 1:r1=0",
        &all,
    );
    expect("x = 1 rlx; r0 = x rlx || x = 2 rlx", r"0:r0=0", &all);
    expect("r0 = x rlx; x = 1 rlx", "0:r0=1", &all);
    expect("x = 1 rlx; x = 2 rlx", "x=1", &all);
    let readers = "x = 1 rlx || x = 2 rlx || r0 = x rlx; r1 = x rlx || r0 = x rlx; r1 = x rlx";
    let apart = r"2:r0=1 /\ 2:r1=2 /\ 3:r0=2 /\ 3:r1=1";
    expect(readers, apart, &all);
    let joined = r"2:r0=1 /\ 2:r1=2 /\ 3:r0=1 /\ 3:r1=2";
    expect(
        readers,
        joined,
        &[(Rc11, Allowed), (X86, Allowed), (Arm, Allowed)],
    );
    // Two increments never lose one.
    let add = "r0 = x += 1 rlx || r0 = x += 1 rlx";
    expect(add, r"0:r0=0 /\ 1:r0=0", &all);
    expect(add, "x=1", &all);
    expect(
        add,
        "x=2",
        &[(Rc11, Allowed), (X86, Allowed), (Arm, Allowed)],
    );
}

#[test]
fn release_sequences_are_those_of_cpp20() {
    let stale = r"1:r0=2 /\ 1:r1=0";
    let own = "x = 1 rlx; y = 1 rel; y = 2 rlx || r0 = y acq; r1 = x rlx";
    expect(own, stale, &[(Rc11, Allowed), (Rc11Old, Forbidden)]);
    let plain = "D = 1; y = 1 rel; y = 2 rlx || r0 = y acq; if r0 2 then r1 = D";
    expect(plain, stale, &[(Rc11, Race), (Rc11Old, Forbidden)]);
    let own = "x = 1 rlx; y = 1 rel; y = 2 rel || r0 = y acq; r1 = x rlx";
    expect(own, stale, &[(Rc11, Forbidden), (Rc11Old, Forbidden)]);
    // A read-modify-write carries the sequence on, also from another thread,
    // where a plain store breaks it.
    let lost = r"2:r0=2 /\ 2:r1=0";
    let chain = "x = 1 rlx; y = 1 rel || r0 = y += 1 rlx || r0 = y acq; r1 = x rlx";
    expect(
        chain,
        r"1:r0=1 /\ 2:r0=2 /\ 2:r1=0",
        &[(Rc11, Forbidden), (Rc11Old, Forbidden)],
    );
    let broken = "x = 1 rlx; y = 1 rel || y = 2 rlx || r0 = y acq; r1 = x rlx";
    expect(broken, lost, &[(Rc11, Allowed), (Rc11Old, Allowed)]);
}

#[test]
fn mixed_seq_cst_accesses_are_as_weak_as_rc11_has_them() {
    // Z6.U of the paper.
    let z6 = "x = 1 sc; y = 1 rel || r0 = y += 1 sc; r1 = y rlx || y = 3 sc; r0 = x sc";
    expect(z6, r"1:r0=1 /\ 1:r1=3 /\ 2:r0=0", &[(Rc11, Allowed)]);
    let all_sc = "x = 1 sc; y = 1 sc || r0 = y += 1 sc; r1 = y sc || y = 3 sc; r0 = x sc";
    expect(all_sc, r"1:r0=1 /\ 1:r1=3 /\ 2:r0=0", &[(Rc11, Forbidden)]);
}

#[test]
fn no_value_comes_from_thin_air() {
    let text = "C oota\n{}\n\
        P0(atomic_int *x, atomic_int *y) {\n int r = atomic_load_explicit(x, memory_order_relaxed);\n\
         atomic_store_explicit(y, r, memory_order_relaxed);\n}\n\
        P1(atomic_int *x, atomic_int *y) {\n int r = atomic_load_explicit(y, memory_order_relaxed);\n\
         atomic_store_explicit(x, r, memory_order_relaxed);\n}\n\
        exists (~(0:r=0))\n";
    let program = parse(text).unwrap_or_else(|e| panic!("{e}"));
    for model in Model::ALL {
        assert_eq!(program.check(model).verdict, Forbidden, "{}", model.name());
    }
}

#[test]
fn what_is_outside_the_language_is_refused() {
    let bad = [
        (
            "C",
            "C t\n{}\nP0(atomic_int *x) { *x = 1; }\nexists (x=1)\n",
        ),
        (
            "plain",
            "C t\n{}\nP0(int *x) { int r = atomic_load_explicit(x, memory_order_relaxed); }\nexists (x=1)\n",
        ),
        (
            "order",
            "C t\n{}\nP0(atomic_int *x) { atomic_store_explicit(x, 1, memory_order_acquire); }\nexists (x=1)\n",
        ),
        (
            "loop",
            "C t\n{}\nP0(atomic_int *x) { while (1) { } }\nexists (x=1)\n",
        ),
        (
            "register",
            "C t\n{}\nP0(atomic_int *x) { int r = 1; }\nexists (0:s=1)\n",
        ),
        (
            "quantifier",
            "C t\n{}\nP0(atomic_int *x) { int r = 1; }\nsome (0:r=1)\n",
        ),
    ];
    for (what, text) in bad {
        assert!(parse(text).is_err(), "{what} was accepted");
    }
}
