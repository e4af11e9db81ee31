//! The models against each other: compilation must not add behaviour.
//!
//! On programs made at random, what a machine shows RC11 has to allow, with and
//! without the asymmetric barrier. This holds the rule for light and heavy
//! fences against the machines' picture of it, in which a heavy fence sends a
//! full one to every other thread. Load buffering is left out: RC11 forbids it
//! outright, AArch64 shows it. And the file that is written of a program for a
//! machine says the same as the program. `LITMUS_PROGRAMS` sets another number of
//! programs.

use std::collections::BTreeSet;

use super::candidates::Candidates;
use super::parse::parse;
use super::program::Prop;
use super::{Machine, Model, Test, Verdict, asm};

/// A small generator of numbers, the same on every run (Marsaglia's xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or(0) % sides
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.roll(of.len())]
    }
}

fn programs(otherwise: usize) -> usize {
    let asked = std::env::var("LITMUS_PROGRAMS").ok();
    asked.and_then(|n| n.parse().ok()).unwrap_or(otherwise)
}

/// Two threads of three accesses or three of two, mostly relaxed and to two
/// places, and more often than not a fence in between.
fn program(dice: &mut Dice) -> String {
    let threads = 2 + dice.roll(2);
    let steps = 5 - threads;
    let mut text = String::from("C random\n{}\n");
    for t in 0..threads {
        text.push_str(&format!("P{t}(atomic_int *x, atomic_int *y) {{\n"));
        for i in 0..steps {
            if i > 0 && dice.roll(4) > 0 {
                let fence = dice.pick(&[
                    "seq_cst); // light",
                    "seq_cst); // light",
                    "seq_cst); // heavy",
                    "seq_cst); // heavy",
                    "seq_cst);",
                    "acq_rel);",
                    "release);",
                    "acquire);",
                ]);
                text.push_str(&format!("  atomic_thread_fence(memory_order_{fence}\n"));
            }
            let place = dice.pick(&["x", "y"]);
            let load = dice.pick(&["relaxed", "relaxed", "acquire", "seq_cst"]);
            let store = dice.pick(&["relaxed", "relaxed", "release", "seq_cst"]);
            let any = dice.pick(&["relaxed", "acquire", "release", "acq_rel", "seq_cst"]);
            let value = t * steps + i + 1;
            let line = match dice.roll(9) {
                0..=3 => format!("int r{i} = atomic_load_explicit({place}, memory_order_{load});"),
                4..=7 => format!("atomic_store_explicit({place}, {value}, memory_order_{store});"),
                _ => format!(
                    "int r{i} = atomic_exchange_explicit({place}, {value}, memory_order_{any});"
                ),
            };
            text.push_str(&format!("  {line}\n"));
        }
        text.push_str("}\n");
    }
    text.push_str("exists (x=0)\n");
    text
}

type Ends = BTreeSet<(Vec<Vec<i64>>, Vec<i64>)>;

/// What is left at the end of each execution that the model has, but for those
/// in which program order and reads-from make a circle.
fn ends(candidates: &Candidates, model: Model) -> Ends {
    let mut ends = Ends::new();
    candidates.each(
        |_| true,
        |candidate| {
            let mut causal = candidate.graph.po.clone();
            causal.union_with(&candidate.graph.rf);
            if causal.is_acyclic() && model.admits(candidate) {
                let regs = candidate.regs.iter().map(|r| r.to_vec()).collect();
                ends.insert((regs, candidate.memory.to_vec()));
            }
            true
        },
    );
    ends
}

#[test]
fn machines_show_only_what_the_language_allows() {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let (mut weaker, mut compared) = ([0; 4], 0);
    for _ in 0..programs(500) {
        let text = program(&mut dice);
        let parsed = parse(&text, &[]).unwrap_or_else(|e| panic!("{e}\n{text}"));
        let candidates = Candidates::new(&parsed);
        let pairs = [
            (Model::Rc11, Model::X86),
            (Model::Rc11, Model::Arm),
            (Model::Rc11Mb, Model::X86Mb),
            (Model::Rc11Mb, Model::ArmMb),
        ];
        for (at, (language, machine)) in pairs.into_iter().enumerate() {
            let (allowed, shown) = (ends(&candidates, language), ends(&candidates, machine));
            compared += shown.len();
            let extra = shown.difference(&allowed).next();
            assert_eq!(extra, None, "{} on\n{text}", machine.name());
            weaker[at] += usize::from(shown.len() < allowed.len());
        }
    }
    // Not vacuous: the machines differ from the language, and there was much to
    // compare.
    assert!(weaker.iter().all(|&w| w > 10), "{weaker:?}");
    assert!(compared > 10_000, "{compared}");
}

#[test]
fn a_symmetric_barrier_is_no_weaker_than_an_asymmetric_one() {
    let mut dice = Dice(0x0123_4567_89ab_cdef);
    let mut weaker = [0; 3];
    for _ in 0..programs(400) {
        let text = program(&mut dice);
        let parsed = parse(&text, &[]).unwrap_or_else(|e| panic!("{e}\n{text}"));
        let candidates = Candidates::new(&parsed);
        let pairs = [
            (Model::Rc11, Model::Rc11Mb),
            (Model::X86, Model::X86Mb),
            (Model::Arm, Model::ArmMb),
        ];
        for (at, (both, one)) in pairs.into_iter().enumerate() {
            let (both, one) = (ends(&candidates, both), ends(&candidates, one));
            // A heavy fence interrupts threads that have no light one as well,
            // so only the language can be compared strictly.
            if at == 0 {
                assert!(both.is_subset(&one), "{text}");
            }
            weaker[at] += usize::from(!one.is_subset(&both));
        }
    }
    assert!(weaker.iter().all(|&w| w > 1), "{weaker:?}");
}

/// That an execution ends in just this way.
fn end_of(regs: &[Vec<i64>], memory: &[i64]) -> Prop {
    let registers = regs.iter().enumerate().flat_map(|(thread, regs)| {
        let of = move |(reg, &value)| Prop::Reg { thread, reg, value };
        regs.iter().enumerate().map(of)
    });
    let memory = memory.iter().enumerate();
    memory
        .map(|(loc, &value)| Prop::Mem { loc, value })
        .chain(registers)
        .reduce(|all, one| Prop::And(Box::new(all), Box::new(one)))
        .expect("a program has locations")
}

#[test]
fn the_file_of_a_machine_says_the_same_as_the_program() {
    let mut dice = Dice(0x5851_f42d_4c95_7f2d);
    let mut found = [[0; 2]; 2];
    for _ in 0..programs(300) {
        let text = program(&mut dice);
        let mut parsed = parse(&text, &[]).unwrap_or_else(|e| panic!("{e}\n{text}"));
        // Ends of executions, and whether each machine admits the execution.
        let mut ends = Vec::new();
        Candidates::new(&parsed).each(
            |_| true,
            |candidate| {
                let regs: Vec<Vec<i64>> = candidate.regs.iter().map(|r| r.to_vec()).collect();
                let admitted = Machine::ALL.map(|m| m.model().admits(candidate));
                ends.push((end_of(&regs, candidate.memory), admitted));
                true
            },
        );
        for (at, machine) in Machine::ALL.into_iter().enumerate() {
            let shown = dice.roll(2) == 1;
            let mut pool: Vec<&Prop> = ends
                .iter()
                .filter_map(|(end, admitted)| (admitted[at] == shown).then_some(end))
                .collect();
            if pool.is_empty() {
                pool.extend(ends.iter().map(|(end, _)| end));
            }
            parsed.outcome = pool[dice.roll(pool.len())].clone();
            let file = asm::write(&parsed, machine, Verdict::Forbidden)
                .unwrap_or_else(|e| panic!("{e}\n{text}"));
            let read = parse(&file, &[]).unwrap_or_else(|e| panic!("{e}\n{file}"));
            let [of_program, of_file] = [parsed.clone(), read]
                .map(|program| Test::new(program).check(machine.model()).verdict);
            assert_eq!(of_file, of_program, "{file}\n{text}");
            found[at][usize::from(of_file == Verdict::Allowed)] += 1;
        }
    }
    assert!(found.iter().flatten().all(|&n| n > 20), "{found:?}");
}
