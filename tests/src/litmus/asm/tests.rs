//! The reader of the machines' files against tests with known verdicts, and
//! against what it has to refuse; the writer by what it has to put into a file.

use super::super::judge::Verdict::{self, Allowed, Forbidden};
use super::super::{Machine, Test};
use crate::litmus::parse::parse as parse_program;

fn parse(text: &str) -> Result<Test, String> {
    let program = parse_program(text, &[]).map_err(|e| e.to_string())?;
    Ok(Test::new(program))
}

/// A file for `machine` of the given rows, and its verdict by that machine.
fn verdict(machine: Machine, rows: &[&str], condition: &str) -> Verdict {
    let text = file(machine, rows, condition);
    let test = parse(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    test.check(machine.model()).verdict
}

fn file(machine: Machine, rows: &[&str], condition: &str) -> String {
    let threads = rows[0].split('|').count();
    let heads: Vec<String> = (0..threads).map(|t| format!("P{t}")).collect();
    let addresses: String = (0..threads)
        .map(|t| format!("{t}:X1=x; {t}:X2=y; "))
        .collect();
    let init = match machine {
        Machine::X86 => "",
        Machine::Arm => &addresses,
    };
    let rows: String = rows.iter().map(|row| format!("{row};\n")).collect();
    let heads = heads.join("|");
    format!(
        "{} known\n{{ {init}}}\n{heads};\n{rows}exists ({condition})\n",
        machine.arch()
    )
}

#[test]
fn store_buffering_of_x86() {
    let both = r"0:rax=0 /\ 1:rax=0";
    let x86 = |rows: &[&str]| verdict(Machine::X86, rows, both);
    let store = "movl $1,(x) | movl $1,(y)";
    let load = "movl (y),%eax | movl (x),%eax";
    assert_eq!(x86(&[store, load]), Allowed);
    assert_eq!(x86(&[store, "mfence | mfence", load]), Forbidden);
    assert_eq!(x86(&[store, "mfence | ", load]), Allowed);
    let swap = "xchgl %ebx,(x) | xchgl %ebx,(y)";
    assert_eq!(x86(&["movl $1,%ebx | movl $1,%ebx", swap, load]), Forbidden);
}

#[test]
fn message_passing_of_aarch64() {
    let stale = r"1:X0=1 /\ 1:X3=0";
    let arm = |rows: &[&str]| verdict(Machine::Arm, rows, stale);
    let one = "MOV W0,#1 | ";
    let weak = "STR W0,[X1] | LDR W0,[X2]";
    assert_eq!(arm(&[one, weak, "STR W0,[X2] | LDR W3,[X1]"]), Allowed);
    let ordered = ["STLR W0,[X2]", "DMB ISH"];
    for (acquire, want) in [("LDAPR", Forbidden), ("LDAR", Forbidden), ("LDR", Allowed)] {
        let first = format!("STR W0,[X1] | {acquire} W0,[X2]");
        let second = format!("{} | LDR W3,[X1]", ordered[0]);
        assert_eq!(arm(&[one, &first, &second]), want, "{acquire}");
    }
    let fences = [
        one,
        weak,
        "DMB ISH | DMB ISHLD",
        "STR W0,[X2] | LDR W3,[X1]",
    ];
    assert_eq!(arm(&fences), Forbidden);
    let late = [
        one,
        "DMB ISHLD | DMB ISHLD",
        weak,
        "STR W0,[X2] | LDR W3,[X1]",
    ];
    assert_eq!(arm(&late), Allowed);
}

#[test]
fn a_branch_of_aarch64_orders_writes_to_the_end_of_the_thread() {
    // Load buffering with a branch to the next line on one side.
    let both = r"0:X0=1 /\ 1:X0=1";
    let arm = |second: &str| {
        let rows = [
            "LDR W0,[X1] | LDR W0,[X2]",
            "CMP W0,#1 | MOV W4,#1",
            &format!("{second} | DMB ISH"),
            "L0: | STR W4,[X1]",
            "MOV W4,#1 | ",
            "STR W4,[X2] | ",
        ];
        verdict(Machine::Arm, &rows, both)
    };
    assert_eq!(arm("B.EQ L0"), Forbidden);
    assert_eq!(arm("B L0"), Allowed);
}

#[test]
fn an_exclusive_pair_that_acquires_orders_like_ldar() {
    let both = r"0:X0=0 /\ 1:X3=0 /\ 0:X9=1";
    let arm = |release: &str, exclusive: &str| {
        let rows = [
            "MOV W4,#1 | MOV W4,#1",
            &format!("{release} W4,[X1] | STR W4,[X2]"),
            &format!("{exclusive} W0,[X2] | DMB ISH"),
            "STXR W5,W4,[X2] | LDR W3,[X1]",
            "CBNZ W5,End | ",
            "MOV W9,#1 | ",
            "End: | ",
        ];
        verdict(Machine::Arm, &rows, both)
    };
    assert_eq!(arm("STLR", "LDAXR"), Forbidden);
    assert_eq!(arm("STLR", "LDXR"), Allowed);
    assert_eq!(arm("STR", "LDAXR"), Allowed);
}

#[test]
fn what_no_such_file_says_is_refused() {
    let x86 = |row: &str, condition: &str| file(Machine::X86, &[row], condition);
    let arm = |rows: &[&str], condition: &str| file(Machine::Arm, rows, condition);
    let pair = [
        "MOV W4,#1",
        "LDXR W0,[X1]",
        "STXR W5,W4,[X1]",
        "CBNZ W5,End",
    ];
    let passed = ["MOV W9,#1", "End:"];
    let whole = [&pair[..], &passed[..]].concat();
    assert!(parse(&arm(&whole, r"0:X0=0 /\ 0:X9=1")).is_ok());
    let half = [&pair[..2], &passed[..]].concat();
    let apart = [&pair[..2], &["MOV W6,#1"], &pair[2..], &passed[..]].concat();
    let elsewhere = [&pair[..2], &["STXR W5,W4,[X2]"], &pair[3..], &passed[..]].concat();
    let goes_on = [&pair[..], &["MOV W9,#1", "End:", "MOV W6,#1"]].concat();
    let always = [&["MOV W9,#1"], &whole[..]].concat();
    for (what, text) in [
        ("failed runs count", arm(&whole, "0:X0=0")),
        ("failed runs may count", arm(&whole, r"0:X0=0 \/ 0:X9=1")),
        ("half a pair", arm(&half, r"0:X0=0 /\ 0:X9=1")),
        ("something in a pair", arm(&apart, r"0:X0=0 /\ 0:X9=1")),
        ("two places", arm(&elsewhere, r"0:X0=0 /\ 0:X9=1")),
        ("failure goes on", arm(&goes_on, r"0:X0=0 /\ 0:X9=1")),
        ("1 in any case", arm(&always, r"0:X0=0 /\ 0:X9=1")),
        ("an instruction", x86("lock", "x=1")),
        ("another use", x86("movl (x),(y)", "x=1")),
        ("a register", x86("movl $1,%al", "x=1")),
        ("a jump", x86("jl L0", "x=1")),
        ("no label", x86("jmp L0", "x=1")),
        ("a register of AArch64", arm(&["MOV X0,#1"], "x=1")),
        ("an address", arm(&["LDR W0,[X7]"], "x=1")),
        ("a fence", arm(&["DMB ISHST"], "x=1")),
        ("a loop", arm(&["L0:", "B L0"], "x=1")),
        ("a label twice", arm(&["L0:", "L0:"], "x=1")),
        ("a language", "MIPS t\n{}\nP0;\nexists (x=1)\n".to_owned()),
    ] {
        assert!(parse(&text).is_err(), "{what} was accepted:\n{text}");
    }
}

#[test]
fn what_a_machine_does_not_say_is_not_written() {
    let of = |machine: Machine, body: &str, condition: &str| {
        let text = format!("C t\n{{}}\nP0(atomic_int *x) {{ {body} }}\nexists ({condition})\n");
        let test = parse(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
        test.compile(machine)
    };
    let minus = "int r = atomic_fetch_sub_explicit(x, 1, memory_order_relaxed);";
    let many: String = (0..30).map(|i| format!("int r{i} = {i}; ")).collect();
    let named: Vec<String> = (0..30).map(|i| format!("0:r{i}={i}")).collect();
    for machine in Machine::ALL {
        assert!(of(machine, minus, "0:r=0").is_err());
        assert!(of(machine, "int r = 5000;", "0:r=0").is_err());
        assert!(of(machine, "int r = 1; int s = r <= r;", "0:s=0").is_err());
        assert!(of(machine, &many, &named.join(" /\\ ")).is_err());
    }
    let lock = "C t\n{}\nP0(atomic_int *lock) { int r = 1; }\nexists (0:r=1 /\\ lock=0)\n";
    let test = parse(lock).expect("the shape itself is fine");
    assert!(test.compile(Machine::X86).is_err());
    assert!(test.compile(Machine::Arm).is_ok());
}
