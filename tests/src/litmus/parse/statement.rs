//! Statements and expressions: the body of a thread.

use super::Parser;
use crate::litmus::lex::Token;
use crate::litmus::program::{BinOp, Expr, Instr, Order, ParseError, RmwOp, Side};

/// Binary operators, loosest first.
const LEVELS: [&[(&str, BinOp)]; 6] = [
    &[("|", BinOp::Or)],
    &[("^", BinOp::Xor)],
    &[("&", BinOp::And)],
    &[("==", BinOp::Eq), ("!=", BinOp::Ne)],
    &[
        ("<=", BinOp::Le),
        (">=", BinOp::Ge),
        ("<", BinOp::Lt),
        (">", BinOp::Gt),
    ],
    &[("+", BinOp::Add), ("-", BinOp::Sub)],
];

impl Parser {
    fn code(&mut self) -> &mut Vec<Instr> {
        let last = self.threads.len() - 1;
        &mut self.threads[last].code
    }

    fn reg(&mut self, name: &str) -> Result<usize, ParseError> {
        if self.params.iter().any(|(p, _)| p == name) {
            return self.fail(format!("{name} is a pointer: write *{name}"));
        }
        let last = self.threads.len() - 1;
        let regs = &mut self.threads[last].regs;
        Ok(regs.iter().position(|r| r == name).unwrap_or_else(|| {
            regs.push(name.to_owned());
            regs.len() - 1
        }))
    }

    fn place(&mut self, atomic: bool) -> Result<usize, ParseError> {
        let name = self.word()?;
        let Some(&(_, loc)) = self.params.iter().find(|(p, _)| *p == name) else {
            return self.fail(format!("{name} is not a parameter of this thread"));
        };
        if self.locations[loc].atomic != Some(atomic) {
            return self.fail(format!(
                "{name} must be {}",
                if atomic { "atomic_int" } else { "int" }
            ));
        }
        Ok(loc)
    }

    fn order(&mut self) -> Result<Order, ParseError> {
        let word = self.word()?;
        Ok(match word.as_str() {
            "memory_order_relaxed" => Order::Relaxed,
            "memory_order_acquire" => Order::Acquire,
            "memory_order_release" => Order::Release,
            "memory_order_acq_rel" => Order::AcqRel,
            "memory_order_seq_cst" => Order::SeqCst,
            _ => return self.fail(format!("{word} is not an ordering")),
        })
    }

    pub(super) fn block(&mut self) -> Result<(), ParseError> {
        self.want("{")?;
        while !self.eat("}") {
            self.statement()?;
        }
        Ok(())
    }

    fn statement(&mut self) -> Result<(), ParseError> {
        if self.next_is("{") {
            return self.block();
        }
        if self.eat_word("if") {
            return self.branch();
        }
        if self.eat_word("atomic_store_explicit") {
            self.want("(")?;
            let loc = self.place(true)?;
            self.want(",")?;
            let value = self.expr(0)?;
            self.want(",")?;
            let order = self.order()?;
            if order.acquires() && order != Order::SeqCst {
                return self.fail("a store does not acquire");
            }
            self.want(")")?;
            self.code().push(Instr::Store { loc, value, order });
        } else if self.eat_word("atomic_thread_fence") {
            let remark = self.remarks[self.tokens[self.at - 1].line].clone();
            self.want("(")?;
            let order = self.order()?;
            self.want(")")?;
            let side = match remark.split_whitespace().next() {
                Some("light") => Side::Light,
                Some("heavy") => Side::Heavy,
                _ => Side::None,
            };
            // A light or heavy fence that has been weakened is no longer one.
            let side = if order == Order::SeqCst {
                side
            } else {
                Side::None
            };
            self.code().push(Instr::Fence { order, side });
        } else if self.eat("*") {
            let loc = self.place(false)?;
            self.want("=")?;
            let value = self.expr(0)?;
            self.code().push(Instr::Store {
                loc,
                value,
                order: Order::Plain,
            });
        } else if let Some(op) = self.peek_rmw() {
            self.rmw(op, None)?;
        } else {
            let declared = self.eat_word("int");
            let name = self.word()?;
            let reg = self.reg(&name)?;
            if !(declared && self.next_is(";")) {
                self.want("=")?;
                self.assign(reg)?;
            }
        }
        self.want(";")
    }

    fn branch(&mut self) -> Result<(), ParseError> {
        self.want("(")?;
        let cond = self.expr(0)?;
        self.want(")")?;
        let test = self.code().len();
        self.code().push(Instr::If { cond, otherwise: 0 });
        self.block()?;
        let leave = if self.eat_word("else") {
            let leave = self.code().len();
            self.code().push(Instr::Jump(0));
            Some(leave)
        } else {
            None
        };
        let target = self.code().len();
        if let Instr::If { otherwise, .. } = &mut self.code()[test] {
            *otherwise = target;
        }
        if let Some(leave) = leave {
            if self.next_is_word("if") {
                self.statement()?;
            } else {
                self.block()?;
            }
            let end = self.code().len();
            self.code()[leave] = Instr::Jump(end);
        }
        self.code().push(Instr::EndIf);
        Ok(())
    }

    fn peek_rmw(&self) -> Option<RmwOp> {
        let Some(Token::Word(word)) = self.peek() else {
            return None;
        };
        Some(match word.as_str() {
            "atomic_exchange_explicit" => RmwOp::Exchange,
            "atomic_fetch_add_explicit" => RmwOp::Fetch(BinOp::Add),
            "atomic_fetch_sub_explicit" => RmwOp::Fetch(BinOp::Sub),
            "atomic_fetch_or_explicit" => RmwOp::Fetch(BinOp::Or),
            "atomic_fetch_and_explicit" => RmwOp::Fetch(BinOp::And),
            _ => return None,
        })
    }

    fn rmw(&mut self, op: RmwOp, into: Option<usize>) -> Result<(), ParseError> {
        self.at += 1;
        self.want("(")?;
        let loc = self.place(true)?;
        self.want(",")?;
        let operand = self.expr(0)?;
        self.want(",")?;
        let order = self.order()?;
        self.want(")")?;
        self.code().push(Instr::Rmw {
            into,
            loc,
            op,
            operand,
            order,
        });
        Ok(())
    }

    fn assign(&mut self, reg: usize) -> Result<(), ParseError> {
        if self.eat("*") {
            let loc = self.place(false)?;
            self.code().push(Instr::Load {
                into: reg,
                loc,
                order: Order::Plain,
            });
        } else if self.eat_word("atomic_load_explicit") {
            self.want("(")?;
            let loc = self.place(true)?;
            self.want(",")?;
            let order = self.order()?;
            if order.releases() && order != Order::SeqCst {
                return self.fail("a load does not release");
            }
            self.want(")")?;
            self.code().push(Instr::Load {
                into: reg,
                loc,
                order,
            });
        } else if let Some(op) = self.peek_rmw() {
            self.rmw(op, Some(reg))?;
        } else {
            let value = self.expr(0)?;
            self.code().push(Instr::Set { reg, value });
        }
        Ok(())
    }

    fn expr(&mut self, level: usize) -> Result<Expr, ParseError> {
        let Some(ops) = LEVELS.get(level) else {
            return self.operand();
        };
        let mut left = self.expr(level + 1)?;
        while let Some(&(_, op)) = ops.iter().find(|(sign, _)| self.next_is(sign)) {
            self.at += 1;
            let right = self.expr(level + 1)?;
            left = Expr::Bin(op, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn operand(&mut self) -> Result<Expr, ParseError> {
        if self.eat("(") {
            let inner = self.expr(0)?;
            self.want(")")?;
            return Ok(inner);
        }
        if let Some(Token::Word(_)) = self.peek() {
            let name = self.word()?;
            return Ok(Expr::Reg(self.reg(&name)?));
        }
        Ok(Expr::Const(self.number()?))
    }
}
