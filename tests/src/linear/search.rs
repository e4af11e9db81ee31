//! The search for an order that the model accepts.
//!
//! ```text
//!   events, by stamp:  a(  b(  )a  c(  )b  )c        x(  invoked, )x  responded
//! ```
//!
//! Whatever is invoked before the first response that is left may take effect next.
//! If the model answers as was recorded, both events of the operation are lifted out
//! of the list and the search goes on from its beginning; if it comes to a response,
//! that operation took effect too late: the last one that was lifted is put back, and
//! the one after it is tried.

use std::collections::{BTreeMap, HashSet};
use std::error::Error;
use std::fmt::{self, Debug, Write as _};

use super::bits::Bits;
use super::{History, Keyed, Model, Record};

/// How many configurations [`check`] visits before it gives up.
pub const LIMIT: usize = 1 << 20;

/// How many operations that fit a [`Failure`] names, at most.
const SHOWN: usize = 12;

/// Why there is no order to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// There is none.
    Refused,
    /// It was not found within the limit.
    GaveUp,
}

/// No order was found.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Whether there is none.
    pub cause: Cause,
    /// The most operations, by their index in the history, that took effect in an
    /// order before none of the others could.
    pub longest: Vec<usize>,
    /// What came before, where it led to, and what does not fit.
    text: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.cause {
            Cause::Refused => "not linearizable",
            Cause::GaveUp => "gave up before it was known whether this is linearizable",
        })?;
        f.write_str(&self.text)
    }
}

impl Error for Failure {}

/// Looks for an order of the history that the model accepts, and returns it as
/// indices into the [records](History::records).
///
/// # Errors
///
/// If there is none, or if it was not found among [`LIMIT`] configurations.
///
/// # Complexity
///
/// Exponential at worst in how many operations overlap; linear where few do. What was
/// put in a queue at the same time may be in any order until it comes out, which is
/// why histories of whole objects are best kept short.
pub fn check<M: Model>(
    model: &M,
    history: &History<M::Op, M::Ret>,
) -> Result<Vec<usize>, Box<Failure>> {
    check_within(model, history, LIMIT)
}

/// [`check`]s the history of every key of a map or a set: the whole is linearizable
/// if and only if they are. Returns the number of keys.
///
/// # Errors
///
/// As [`check`], with the first key that fails.
pub fn check_each_key<K: Ord, M: Model>(
    model: impl Fn(&K) -> M,
    history: History<Keyed<K, M::Op>, M::Ret>,
) -> Result<usize, (K, Box<Failure>)> {
    let parts: BTreeMap<K, _> = history.split();
    let keys = parts.len();
    for (key, part) in parts {
        if let Err(failure) = check(&model(&key), &part) {
            return Err((key, failure));
        }
    }
    Ok(keys)
}

/// As [`check`], with a limit of one's own.
///
/// # Errors
///
/// If there is no order, or if it was not found among `limit` configurations.
pub fn check_within<M: Model>(
    model: &M,
    history: &History<M::Op, M::Ret>,
    limit: usize,
) -> Result<Vec<usize>, Box<Failure>> {
    let records = history.records();
    let mut events = Events::new(records);
    let mut done = Bits::new(records.len());
    let mut seen = HashSet::new();
    let mut state = model.initial();
    // What was lifted, each with the state before it.
    let mut order: Vec<(usize, M::State)> = Vec::new();
    let mut longest: Option<(Vec<usize>, M::State)> = None;
    let mut event = events.first();
    loop {
        let cause = match events.what(event) {
            What::End if order.len() == records.len() => {
                return Ok(order.iter().map(|&(op, _)| op).collect());
            }
            What::Invoked(_) if seen.len() >= limit => Some(Cause::GaveUp),
            What::Invoked(op) => {
                let mut next = state.clone();
                let ret = model.apply(&mut next, &records[op].op);
                event = events.after(event);
                if ret == records[op].ret {
                    done.insert(op);
                    if seen.insert((done.window(), next.clone())) {
                        order.push((op, std::mem::replace(&mut state, next)));
                        events.lift(op);
                        event = events.first();
                    } else {
                        done.remove(op);
                    }
                }
                None
            }
            // The end is reached with operations left only if their responses were
            // passed, and no response is.
            What::Responded | What::End => {
                if longest
                    .as_ref()
                    .is_none_or(|(ops, _)| ops.len() < order.len())
                {
                    let ops = order.iter().map(|&(op, _)| op).collect();
                    longest = Some((ops, state.clone()));
                }
                if let Some((op, before)) = order.pop() {
                    state = before;
                    done.remove(op);
                    events.put_back(op);
                    event = events.after(events.invocation(op));
                    None
                } else {
                    Some(Cause::Refused)
                }
            }
        };
        if let Some(cause) = cause {
            let (ops, state) = longest
                .filter(|(ops, _)| ops.len() >= order.len())
                .unwrap_or_else(|| (order.iter().map(|&(op, _)| op).collect(), state));
            return Err(Box::new(Failure {
                cause,
                text: describe(records, &ops, &state),
                longest: ops,
            }));
        }
    }
}

/// Names the operations around the place where the search got stuck.
fn describe<Op: Debug, Ret: Debug>(
    records: &[Record<Op, Ret>],
    order: &[usize],
    state: &impl Debug,
) -> String {
    let line = |text: &mut String, op: usize| {
        let Record {
            invoked,
            responded,
            op,
            ret,
        } = &records[op];
        // Writing to a string does not fail.
        let _ = write!(text, "\n  {invoked:>8} ..{responded:>8}  {op:?} -> {ret:?}");
    };
    let mut text = format!("; {} of {} operations fit", order.len(), records.len());
    for &op in order.iter().skip(order.len().saturating_sub(SHOWN)) {
        line(&mut text, op);
    }
    let _ = write!(text, "\nstate: {state:?}\nnone of these can be next:");
    let mut left: Vec<bool> = vec![true; records.len()];
    for &op in order {
        left[op] = false;
    }
    let left: Vec<usize> = (0..records.len()).filter(|&op| left[op]).collect();
    let first = left.iter().map(|&op| records[op].responded).min();
    for op in left {
        if Some(records[op].invoked) < first {
            line(&mut text, op);
        }
    }
    text
}

/// A place in the list of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Event(usize);

/// What happened there.
#[derive(Debug)]
enum What {
    Invoked(usize),
    Responded,
    End,
}

/// The events that are left: a ring of which the sentinel is both ends.
///
/// Operation `op` is invoked at place `2 * op`, and responds at the one after it;
/// `next` and `prev` lead through the places by stamp.
#[derive(Debug)]
struct Events {
    next: Vec<usize>,
    prev: Vec<usize>,
}

impl Events {
    fn new<Op, Ret>(records: &[Record<Op, Ret>]) -> Self {
        let sentinel = records.len() * 2;
        let mut places: Vec<(u64, usize)> = Vec::with_capacity(sentinel);
        for (op, record) in records.iter().enumerate() {
            places.push((record.invoked, 2 * op));
            places.push((record.responded, 2 * op + 1));
        }
        places.sort_unstable();
        let mut events = Self {
            next: vec![sentinel; sentinel + 1],
            prev: vec![sentinel; sentinel + 1],
        };
        let mut last = sentinel;
        for (_, place) in places {
            events.next[last] = place;
            events.prev[place] = last;
            last = place;
        }
        events.prev[sentinel] = last;
        events
    }

    fn sentinel(&self) -> usize {
        self.next.len() - 1
    }

    fn first(&self) -> Event {
        Event(self.next[self.sentinel()])
    }

    fn after(&self, event: Event) -> Event {
        Event(self.next[event.0])
    }

    fn invocation(&self, op: usize) -> Event {
        Event(2 * op)
    }

    fn what(&self, event: Event) -> What {
        match event.0 {
            place if place == self.sentinel() => What::End,
            place if place % 2 == 0 => What::Invoked(place / 2),
            _ => What::Responded,
        }
    }

    /// Takes both events of the operation out.
    fn lift(&mut self, op: usize) {
        for place in [2 * op, 2 * op + 1] {
            let (prev, next) = (self.prev[place], self.next[place]);
            self.next[prev] = next;
            self.prev[next] = prev;
        }
    }

    /// Takes the last [`lift`](Self::lift) back.
    fn put_back(&mut self, op: usize) {
        // In the opposite order: they may have been neighbours.
        for place in [2 * op + 1, 2 * op] {
            let (prev, next) = (self.prev[place], self.next[place]);
            self.next[prev] = place;
            self.prev[next] = place;
        }
    }
}
