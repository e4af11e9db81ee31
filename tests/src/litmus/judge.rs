//! The models, and the verdict of each on a program.

use std::fmt;

use super::asm;
use super::candidates::{Candidate, Candidates, NO_THREAD};
use super::hardware::{self, Machine};
use super::program::{Order, Program, Prop};
use super::rc11::{self, Judgement, Rules};
use super::trace::{Kind, Trace};

/// A memory model together with a reading of the light and heavy fences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// RC11, both sides of the barrier `seq_cst` fences.
    Rc11,
    /// RC11 with the asymmetric barrier.
    Rc11Mb,
    /// x86-TSO, fences on both sides.
    X86,
    /// x86-TSO, the heavy side interrupts all threads.
    X86Mb,
    /// AArch64, fences on both sides.
    Arm,
    /// AArch64, the heavy side interrupts all threads.
    ArmMb,
    /// [`Model::Rc11`] with the release sequences of C++11, as herd7's
    /// `rc11.cat` has them. Not part of [`Model::ALL`].
    Rc11Old,
}

impl Model {
    /// The models that every shape is judged by.
    pub const ALL: [Model; 6] = [
        Model::Rc11,
        Model::Rc11Mb,
        Model::X86,
        Model::X86Mb,
        Model::Arm,
        Model::ArmMb,
    ];

    /// The name in headers and tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Model::Rc11 => "rc11",
            Model::Rc11Mb => "rc11-mb",
            Model::X86 => "x86",
            Model::X86Mb => "x86-mb",
            Model::Arm => "arm",
            Model::ArmMb => "arm-mb",
            Model::Rc11Old => "rc11-old",
        }
    }

    /// Whether it judges the language rather than a machine.
    #[must_use]
    pub fn is_language(self) -> bool {
        self.rules().is_some()
    }

    fn rules(self) -> Option<Rules> {
        let same_thread_sequences = self == Model::Rc11Old;
        matches!(self, Model::Rc11 | Model::Rc11Mb | Model::Rc11Old).then_some(Rules {
            asymmetric: self == Model::Rc11Mb,
            same_thread_sequences,
        })
    }

    /// Whether an execution may be as `candidate` is.
    #[cfg(test)]
    pub(crate) fn admits(self, candidate: &Candidate<'_>) -> bool {
        self.judge(candidate) != Judgement::Inconsistent
    }

    fn judge(self, candidate: &Candidate<'_>) -> Judgement {
        if let Some(rules) = self.rules() {
            return rc11::judge(candidate.graph, rules);
        }
        let machine = match self {
            Model::X86 | Model::X86Mb => Machine::X86,
            _ => Machine::Arm,
        };
        let asymmetric = matches!(self, Model::X86Mb | Model::ArmMb);
        if hardware::is_possible(candidate.graph, machine, asymmetric) {
            Judgement::Consistent
        } else {
            Judgement::Inconsistent
        }
    }
}

/// What a model says of the outcome that a test asks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No execution shows it.
    Forbidden,
    /// Some execution shows it.
    Allowed,
    /// Some execution has a data race, so the program has no meaning at all.
    Race,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Verdict::Forbidden => "forbidden",
            Verdict::Allowed => "allowed",
            Verdict::Race => "race",
        })
    }
}

/// A verdict, and what it took.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What the model says.
    pub verdict: Verdict,
    /// Candidate executions that the model was asked about.
    pub judged: usize,
    /// An execution that shows the outcome or the race, one event a line.
    pub witness: Option<String>,
}

/// A program, and all that its threads may do.
#[derive(Debug)]
pub struct Test {
    program: Program,
    candidates: Candidates,
}

impl Test {
    pub(crate) fn new(program: Program) -> Self {
        Self {
            candidates: Candidates::new(&program),
            program,
        }
    }

    /// The name in the first line of the file.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.program.name
    }

    /// The same test, whose branches order what follows to the end of the
    /// thread: what the file for a machine says, where the compiler kept them.
    #[must_use]
    pub fn with_lasting_branches(&self) -> Self {
        Self::new(self.program.with_lasting_branches())
    }

    /// The test as `machine` runs it, in herd7's format.
    ///
    /// # Errors
    ///
    /// A message that says what it needs and herd7's assembler does not have.
    pub fn compile(&self, machine: Machine) -> Result<String, String> {
        let expected = self.with_lasting_branches().check(machine.model()).verdict;
        asm::write(&self.program, machine, expected)
    }

    /// Judges the outcome that the program asks about.
    #[must_use]
    pub fn check(&self, model: Model) -> Outcome {
        let candidates = &self.candidates;
        let races = model.is_language();
        let early = self.program.outcome.ignores_memory();
        let shows = |regs: &[&[i64]], memory: &[i64]| self.program.outcome.holds(regs, memory);
        let mut out = Outcome {
            verdict: Verdict::Forbidden,
            judged: 0,
            witness: None,
        };
        candidates.each(
            |traces| {
                let regs: Vec<&[i64]> = traces.iter().map(|t| &t.regs[..]).collect();
                !early || shows(&regs, &[]) || (races && may_race(traces))
            },
            |candidate| {
                let shown = shows(candidate.regs, candidate.memory);
                if !shown && !races {
                    return true;
                }
                out.judged += 1;
                let verdict = match model.judge(candidate) {
                    Judgement::Racy => Verdict::Race,
                    Judgement::Consistent if shown => Verdict::Allowed,
                    _ => return true,
                };
                if out.verdict != verdict {
                    out.verdict = verdict;
                    out.witness = Some(self.describe(candidate));
                }
                // A race is the last word; an outcome is, where none can race.
                verdict != Verdict::Race && races
            },
        );
        out
    }

    /// The conditions to be reached that no execution meets, by position.
    #[must_use]
    pub fn unreached(&self, model: Model) -> Vec<usize> {
        let candidates = &self.candidates;
        let meets = |prop: &Prop| {
            let mut met = false;
            candidates.each(
                |traces| {
                    let regs: Vec<&[i64]> = traces.iter().map(|t| &t.regs[..]).collect();
                    !prop.ignores_memory() || prop.holds(&regs, &[])
                },
                |candidate| {
                    met = prop.holds(candidate.regs, candidate.memory)
                        && model.judge(candidate) != Judgement::Inconsistent;
                    !met
                },
            );
            met
        };
        (0..self.program.reach.len())
            .filter(|&i| !meets(&self.program.reach[i]))
            .collect()
    }

    fn describe(&self, candidate: &Candidate<'_>) -> String {
        let g = candidate.graph;
        let mut out = String::new();
        for e in 0..g.n {
            let event = &g.events[e];
            if g.thread[e] == NO_THREAD {
                continue;
            }
            let order = format!("{:?}", event.order).to_lowercase();
            let what = match event.kind {
                Kind::Fence => format!("fence {:?}", event.side).to_lowercase(),
                Kind::Read => {
                    let from = (0..g.n).find(|&w| g.rf.has(w, e)).unwrap_or(0);
                    let source = if from < self.program.locations.len() {
                        "init".to_owned()
                    } else {
                        format!("#{from}")
                    };
                    format!(
                        "{} -> {} from {source}",
                        self.program.locations[event.loc].name, event.value
                    )
                }
                Kind::Write => {
                    format!(
                        "{} <- {}",
                        self.program.locations[event.loc].name, event.value
                    )
                }
            };
            out.push_str(&format!("  P{} #{e:<2} {what} ({order})\n", g.thread[e]));
        }
        out
    }
}

/// Whether two threads touch one plain location, one of them writing.
fn may_race(traces: &[&Trace]) -> bool {
    let plain = |t: &Trace, kind: Kind| {
        t.steps
            .iter()
            .filter(|s| s.order == Order::Plain && s.kind == kind)
            .fold(0u64, |m, s| m | 1 << s.loc)
    };
    (0..traces.len()).any(|a| {
        (0..traces.len()).any(|b| {
            a != b
                && plain(traces[a], Kind::Write)
                    & (plain(traces[b], Kind::Write) | plain(traces[b], Kind::Read))
                    != 0
        })
    })
}
