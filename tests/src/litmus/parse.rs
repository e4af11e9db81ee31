//! From text to [`Program`].
//!
//! The language is the part of herd7's C that the shapes need: `atomic_int *`
//! and `int *` parameters, registers of type `int`, explicit atomic loads,
//! stores, exchanges and `fetch_*`, thread fences, plain reads and writes
//! through a pointer, `if`/`else`, and conditions over registers and final
//! memory. One access a statement, no loops. A register that no path assigned
//! is 0. The tables of instructions in herd7's X86_64 and AArch64 files are read
//! into the same.

mod raise;
mod statement;
mod table;

use super::hardware::Machine;
use super::lex::{Lexed, Spanned, Token, lex};
use super::program::{Location, ParseError, Program, Prop, Thread};

/// Reads a whole file. `reach` are conditions from its header, each of which
/// some execution has to meet.
pub(crate) fn parse(text: &str, reach: &[String]) -> Result<Program, ParseError> {
    let (first, body) = text.split_once('\n').unwrap_or((text, ""));
    let mut words = first.split_whitespace();
    let (Some(language), Some(name)) = (words.next(), words.next()) else {
        return Err(ParseError {
            line: 1,
            message: "the first line must be a language and a name".to_owned(),
        });
    };
    let machine = Machine::ALL.into_iter().find(|m| m.arch() == language);
    if machine.is_none() && language != "C" {
        return Err(ParseError {
            line: 1,
            message: format!("{language} is neither C nor a machine"),
        });
    }
    let mut parser = Parser::new(lex(body, 2)?);
    parser.init_block()?;
    if let Some(machine) = machine {
        parser.table(machine)?;
    }
    while parser.peek_thread() {
        parser.thread()?;
    }
    let outcome = parser.condition()?;
    parser.end()?;
    for &(thread, reg) in &parser.passed {
        if !outcome.requires(thread, reg, 1) {
            return parser.fail(format!("P{thread} may have failed: the condition must say"));
        }
    }
    let mut asked = Vec::new();
    for text in reach {
        parser.restart(lex(text, 1)?);
        asked.push(parser.prop()?);
        parser.end()?;
    }
    Ok(Program {
        name: name.to_owned(),
        locations: parser.locations,
        threads: parser.threads,
        outcome,
        reach: asked,
    })
}

struct Parser {
    tokens: Vec<Spanned>,
    remarks: Vec<String>,
    at: usize,
    locations: Vec<Location>,
    threads: Vec<Thread>,
    /// Parameters of the thread being read: location by name.
    params: Vec<(String, usize)>,
    /// Registers that hold addresses from the start: thread, name, location.
    addresses: Vec<(usize, String, usize)>,
    /// Threads and registers that are 1 in the runs which count.
    passed: Vec<(usize, usize)>,
}

impl Parser {
    fn new(lexed: Lexed) -> Self {
        Self {
            tokens: lexed.tokens,
            remarks: lexed.remarks,
            at: 0,
            locations: Vec::new(),
            threads: Vec::new(),
            params: Vec::new(),
            addresses: Vec::new(),
            passed: Vec::new(),
        }
    }

    fn restart(&mut self, lexed: Lexed) {
        self.tokens = lexed.tokens;
        self.remarks = lexed.remarks;
        self.at = 0;
    }

    fn line(&self) -> usize {
        self.tokens
            .get(self.at.min(self.tokens.len().saturating_sub(1)))
            .map_or(1, |t| t.line)
    }

    fn fail<T>(&self, message: impl Into<String>) -> Result<T, ParseError> {
        Err(ParseError {
            line: self.line(),
            message: message.into(),
        })
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|t| &t.token)
    }

    fn next_is(&self, sign: &str) -> bool {
        matches!(self.peek(), Some(Token::Sign(s)) if *s == sign)
    }

    fn next_is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Some(Token::Word(w)) if w == word)
    }

    fn eat(&mut self, sign: &str) -> bool {
        let found = self.next_is(sign);
        self.at += usize::from(found);
        found
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let found = self.next_is_word(word);
        self.at += usize::from(found);
        found
    }

    fn want(&mut self, sign: &str) -> Result<(), ParseError> {
        if self.eat(sign) {
            Ok(())
        } else {
            self.fail(format!("expected `{sign}`, found {:?}", self.peek()))
        }
    }

    fn word(&mut self) -> Result<String, ParseError> {
        match self.peek() {
            Some(Token::Word(w)) => {
                let w = w.clone();
                self.at += 1;
                Ok(w)
            }
            other => self.fail(format!("expected a name, found {other:?}")),
        }
    }

    fn number(&mut self) -> Result<i64, ParseError> {
        let negative = self.eat("-");
        match self.peek() {
            Some(&Token::Number(n)) => {
                self.at += 1;
                Ok(if negative { -n } else { n })
            }
            other => self.fail(format!("expected a number, found {other:?}")),
        }
    }

    fn end(&self) -> Result<(), ParseError> {
        match self.peek() {
            None => Ok(()),
            Some(more) => self.fail(format!("unexpected {more:?} at the end")),
        }
    }

    fn init_block(&mut self) -> Result<(), ParseError> {
        self.want("{")?;
        while !self.eat("}") {
            if let Some(&Token::Number(thread)) = self.peek() {
                self.at += 1;
                self.want(":")?;
                let reg = self.word()?;
                self.want("=")?;
                let name = self.word()?;
                let _ = self.eat(";");
                let thread = usize::try_from(thread).unwrap_or(usize::MAX);
                let loc = self.location(&name);
                self.addresses.push((thread, reg, loc));
                continue;
            }
            let _ = self.eat_word("int");
            let bracket = self.eat("[");
            let name = self.word()?;
            if bracket {
                self.want("]")?;
            }
            self.want("=")?;
            let init = self.number()?;
            let _ = self.eat(";");
            let loc = self.location(&name);
            self.locations[loc].init = init;
        }
        Ok(())
    }

    fn location(&mut self, name: &str) -> usize {
        if let Some(known) = self.locations.iter().position(|l| l.name == name) {
            return known;
        }
        self.locations.push(Location {
            name: name.to_owned(),
            init: 0,
            atomic: None,
        });
        self.locations.len() - 1
    }

    fn peek_thread(&self) -> bool {
        matches!(self.peek(), Some(Token::Word(w)) if thread_number(w).is_some())
    }

    fn thread(&mut self) -> Result<(), ParseError> {
        let name = self.word()?;
        if thread_number(&name) != Some(self.threads.len()) {
            return self.fail(format!("{name} is out of turn"));
        }
        self.threads.push(Thread::default());
        self.params.clear();
        self.want("(")?;
        while !self.eat(")") {
            let atomic = match self.word()?.as_str() {
                "atomic_int" => true,
                "int" => false,
                other => return self.fail(format!("a parameter of type {other}")),
            };
            self.want("*")?;
            let name = self.word()?;
            let loc = self.location(&name);
            if *self.locations[loc].atomic.get_or_insert(atomic) != atomic {
                return self.fail(format!("{name} is both atomic and plain"));
            }
            self.params.push((name, loc));
            let _ = self.eat(",");
        }
        self.block()
    }

    fn condition(&mut self) -> Result<Prop, ParseError> {
        let _ = self.eat("~");
        match self.word()?.as_str() {
            "exists" => self.prop(),
            "forall" => Ok(Prop::Not(Box::new(self.prop()?))),
            other => self.fail(format!("{other} is not a quantifier")),
        }
    }

    fn prop(&mut self) -> Result<Prop, ParseError> {
        let mut left = self.conjunction()?;
        while self.eat("\\/") {
            left = Prop::Or(Box::new(left), Box::new(self.conjunction()?));
        }
        Ok(left)
    }

    fn conjunction(&mut self) -> Result<Prop, ParseError> {
        let mut left = self.atom()?;
        while self.eat("/\\") {
            left = Prop::And(Box::new(left), Box::new(self.atom()?));
        }
        Ok(left)
    }

    fn atom(&mut self) -> Result<Prop, ParseError> {
        if self.eat("~") || self.eat_word("not") {
            return Ok(Prop::Not(Box::new(self.atom()?)));
        }
        if self.eat("(") {
            let inner = self.prop()?;
            self.want(")")?;
            return Ok(inner);
        }
        if let Some(&Token::Number(thread)) = self.peek() {
            self.at += 1;
            self.want(":")?;
            let name = self.word()?;
            let thread = usize::try_from(thread).unwrap_or(usize::MAX);
            let Some(reg) = self
                .threads
                .get(thread)
                .and_then(|t| t.regs.iter().position(|r| *r == name))
            else {
                return self.fail(format!("no register {thread}:{name}"));
            };
            self.want("=")?;
            let value = self.number()?;
            return Ok(Prop::Reg { thread, reg, value });
        }
        let bracket = self.eat("[");
        let name = self.word()?;
        if bracket {
            self.want("]")?;
        }
        let Some(loc) = self.locations.iter().position(|l| l.name == name) else {
            return self.fail(format!("no location {name}"));
        };
        self.want("=")?;
        let value = self.number()?;
        Ok(Prop::Mem { loc, value })
    }
}

fn thread_number(word: &str) -> Option<usize> {
    word.strip_prefix('P')?.parse().ok()
}
