//! The files of the machines: a column a thread, an instruction a row.
//!
//! Read are the instructions that [`crate::litmus::asm`] writes and no others.

use super::Parser;
use super::raise::raise;
use crate::litmus::asm::{ARM_REGISTERS, Asm, Operand, X86_REGISTERS};
use crate::litmus::hardware::Machine;
use crate::litmus::program::{BinOp, Order, ParseError, Thread};

/// An operand of an instruction of x86.
enum Place {
    Value(Operand),
    Memory(usize),
}

impl Parser {
    /// The table, and the program of each of its threads.
    pub(super) fn table(&mut self, machine: Machine) -> Result<(), ParseError> {
        let mut columns: Vec<Vec<Asm>> = Vec::new();
        loop {
            let name = self.word()?;
            if super::thread_number(&name) != Some(columns.len()) {
                return self.fail(format!("{name} is out of turn"));
            }
            columns.push(Vec::new());
            self.threads.push(Thread::default());
            if self.eat(";") {
                break;
            }
            self.want("|")?;
        }
        while !["exists", "forall"].iter().any(|q| self.next_is_word(q)) && !self.next_is("~") {
            self.row(machine, &mut columns)?;
        }
        for (number, column) in columns.iter().enumerate() {
            let thread = &mut self.threads[number];
            match raise(column, &mut thread.regs) {
                Ok(raised) => {
                    thread.code = raised.code;
                    self.passed.extend(raised.passed.map(|reg| (number, reg)));
                }
                Err(what) => return self.fail(format!("thread {number}: {what}")),
            }
        }
        Ok(())
    }

    fn row(&mut self, machine: Machine, columns: &mut [Vec<Asm>]) -> Result<(), ParseError> {
        let last = columns.len() - 1;
        for (number, column) in columns.iter_mut().enumerate() {
            if !self.next_is("|") && !self.next_is(";") {
                let word = self.word()?;
                let asm = match machine {
                    _ if self.eat(":") => Asm::Label(word),
                    Machine::X86 => self.x86(&word, number)?,
                    Machine::Arm => self.arm(&word, number)?,
                };
                column.push(asm);
            }
            self.want(if number == last { ";" } else { "|" })?;
        }
        Ok(())
    }

    /// The thread's own number of a register that conditions call `name`.
    fn register_of(&mut self, number: usize, name: String) -> usize {
        let regs = &mut self.threads[number].regs;
        regs.iter().position(|r| *r == name).unwrap_or_else(|| {
            regs.push(name);
            regs.len() - 1
        })
    }

    fn x86(&mut self, word: &str, number: usize) -> Result<Asm, ParseError> {
        let jump = |when, label| Ok(Asm::Jump { when, label });
        match word {
            "mfence" => return Ok(Asm::Fence(Order::SeqCst)),
            "jmp" => return jump(None, self.word()?),
            "je" => return jump(Some(BinOp::Eq), self.word()?),
            "jne" => return jump(Some(BinOp::Ne), self.word()?),
            "jle" => return jump(Some(BinOp::Le), self.word()?),
            "jge" => return jump(Some(BinOp::Ge), self.word()?),
            _ => {}
        }
        let from = self.x86_place(number)?;
        self.want(",")?;
        let to = self.x86_place(number)?;
        let order = Order::Relaxed;
        Ok(match (word, from, to) {
            ("movl", Place::Memory(loc), Place::Value(Operand::Register(to))) => {
                Asm::Load { to, loc, order }
            }
            ("movl", Place::Value(value), Place::Memory(loc)) => Asm::Store { loc, value, order },
            ("movl", Place::Value(value), Place::Value(Operand::Register(to))) => {
                Asm::Move { to, value }
            }
            ("xchgl", Place::Value(Operand::Register(reg)), Place::Memory(loc)) => {
                Asm::Swap { reg, loc }
            }
            ("cmpl", Place::Value(right), Place::Value(Operand::Register(left))) => {
                Asm::Compare { left, right }
            }
            ("addl" | "orl", Place::Value(right), Place::Value(Operand::Register(to))) => {
                let op = if word == "orl" { BinOp::Or } else { BinOp::Add };
                let left = to;
                Asm::Calc {
                    op,
                    to,
                    left,
                    right,
                }
            }
            _ => return self.fail(format!("{word} is not used in this way")),
        })
    }

    fn x86_place(&mut self, number: usize) -> Result<Place, ParseError> {
        if self.eat("$") {
            return Ok(Place::Value(Operand::Number(self.number()?)));
        }
        if self.eat("(") {
            let name = self.word()?;
            self.want(")")?;
            return Ok(Place::Memory(self.location(&name)));
        }
        self.want("%")?;
        let name = self.word()?;
        match X86_REGISTERS.iter().find(|(_, short)| *short == name) {
            Some((long, _)) => {
                let reg = self.register_of(number, (*long).to_owned());
                Ok(Place::Value(Operand::Register(reg)))
            }
            None => self.fail(format!("{name} is no register")),
        }
    }

    fn arm(&mut self, word: &str, number: usize) -> Result<Asm, ParseError> {
        let acquire = |yes| if yes { Order::Acquire } else { Order::Relaxed };
        let release = |yes| if yes { Order::Release } else { Order::Relaxed };
        Ok(match word {
            "DMB" => match self.word()?.as_str() {
                "ISH" => Asm::Fence(Order::SeqCst),
                "ISHLD" => Asm::Fence(Order::Acquire),
                other => return self.fail(format!("DMB {other} is not used")),
            },
            "B" => {
                let when = if self.eat(".") {
                    Some(match self.word()?.as_str() {
                        "EQ" => BinOp::Eq,
                        "NE" => BinOp::Ne,
                        "LE" => BinOp::Le,
                        "GE" => BinOp::Ge,
                        other => return self.fail(format!("B.{other} is not used")),
                    })
                } else {
                    None
                };
                let label = self.word()?;
                Asm::Jump { when, label }
            }
            "CBNZ" => {
                let reg = self.arm_register(number)?;
                self.want(",")?;
                let label = self.word()?;
                Asm::JumpNonZero { reg, label }
            }
            "MOV" => {
                let to = self.arm_register(number)?;
                let value = self.arm_operand(number)?;
                Asm::Move { to, value }
            }
            "CMP" => {
                let left = self.arm_register(number)?;
                let right = self.arm_operand(number)?;
                Asm::Compare { left, right }
            }
            "ADD" | "ORR" => {
                let to = self.arm_register(number)?;
                self.want(",")?;
                let left = self.arm_register(number)?;
                let right = self.arm_operand(number)?;
                let op = if word == "ORR" { BinOp::Or } else { BinOp::Add };
                Asm::Calc {
                    op,
                    to,
                    left,
                    right,
                }
            }
            "LDR" | "LDAPR" | "LDAR" => {
                let order = match word {
                    "LDAR" => Order::SeqCst,
                    _ => acquire(word == "LDAPR"),
                };
                let to = self.arm_register(number)?;
                let loc = self.arm_address(number)?;
                Asm::Load { to, loc, order }
            }
            "STR" | "STLR" => {
                let order = release(word == "STLR");
                let value = Operand::Register(self.arm_register(number)?);
                let loc = self.arm_address(number)?;
                Asm::Store { loc, value, order }
            }
            "LDXR" | "LDAXR" => {
                let order = acquire(word == "LDAXR");
                let to = self.arm_register(number)?;
                let loc = self.arm_address(number)?;
                Asm::LoadExclusive { to, loc, order }
            }
            "STXR" | "STLXR" => {
                let order = release(word == "STLXR");
                let status = self.arm_register(number)?;
                self.want(",")?;
                let value = self.arm_register(number)?;
                let loc = self.arm_address(number)?;
                Asm::StoreExclusive {
                    status,
                    value,
                    loc,
                    order,
                }
            }
            _ => return self.fail(format!("{word} is not used")),
        })
    }

    /// A register of 32 bits; conditions name it by its 64.
    fn arm_register(&mut self, number: usize) -> Result<usize, ParseError> {
        let name = self.word()?;
        let at: Option<usize> = name.strip_prefix('W').and_then(|n| n.parse().ok());
        match at.filter(|n| *n < ARM_REGISTERS) {
            Some(at) => Ok(self.register_of(number, format!("X{at}"))),
            None => self.fail(format!("{name} is no register")),
        }
    }

    /// What stands after the comma: a number or a register.
    fn arm_operand(&mut self, number: usize) -> Result<Operand, ParseError> {
        self.want(",")?;
        if self.eat("#") {
            return Ok(Operand::Number(self.number()?));
        }
        Ok(Operand::Register(self.arm_register(number)?))
    }

    /// What stands after the comma: a register in brackets, whose address the
    /// block at the head gave.
    fn arm_address(&mut self, number: usize) -> Result<usize, ParseError> {
        self.want(",")?;
        self.want("[")?;
        let name = self.word()?;
        self.want("]")?;
        let known = self
            .addresses
            .iter()
            .find(|(thread, reg, _)| (*thread, reg) == (number, &name));
        match known {
            Some((_, _, loc)) => Ok(*loc),
            None => self.fail(format!("{number}:{name} holds no address")),
        }
    }
}
