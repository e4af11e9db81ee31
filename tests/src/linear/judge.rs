//! The search for an order.
//!
//! Operations are sorted by their begin. An order may go on with any operation
//! that is not taken and that began before each other such operation had ended;
//! these stand close together behind the first that is not taken. Where the same
//! operations have been taken before and led to the same state, the search has
//! nothing to find: it turns round.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::hash::Hash;

use super::bits::Taken;
use super::{Event, History, Model};

/// How many operations a refusal shows at most.
const SHOWN: usize = 24;

/// No order explains the history.
pub struct Refusal {
    /// How many operations the longest order had taken.
    pub taken: usize,
    /// How many there are.
    pub operations: usize,
    story: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no order explains it; the longest one found takes {} of {} operations: {}",
            self.taken, self.operations, self.story
        )
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Refusal {}

/// When each value that was put in once was taken out.
#[derive(Debug)]
pub struct Ends(HashMap<u64, Option<(u64, u64)>>);

impl Ends {
    /// Never.
    const NEVER: (u64, u64) = (u64::MAX, u64::MAX);

    fn of<M: Model>(events: &[Event<M::Action>]) -> Self {
        let mut ends = HashMap::new();
        for value in events.iter().filter_map(|event| M::puts(&event.action)) {
            // Of a value that is put in twice nobody knows which is taken out.
            ends.entry(value)
                .and_modify(|end| *end = None)
                .or_insert(Some(Self::NEVER));
        }
        for event in events {
            if let Some(value) = M::takes(&event.action)
                && let Some(Some(end)) = ends.get_mut(&value)
            {
                *end = (event.began, event.ended);
            }
        }
        Self(ends)
    }

    /// Whether one was taken out before the other one's turn came.
    #[must_use]
    pub fn is_before(&self, one: u64, other: u64) -> bool {
        let end = |value| self.0.get(&value).copied().flatten();
        matches!((end(one), end(other)), (Some(one), Some(other)) if one.1 < other.0)
    }
}

/// A place in the search: what is taken, what it led to, and whom to try next.
struct Place<M> {
    taken: Taken,
    state: M,
    next: usize,
    /// The operation that led here.
    by: usize,
}

/// Searches for an order that explains the history from this state on; gives it
/// as places in [`History::events`].
///
/// # Errors
///
/// There is none: the history is not linearizable.
pub fn judge<M: Model>(start: &M, history: &History<M::Action>) -> Result<Vec<usize>, Refusal> {
    let events = history.events();
    let ends = Ends::of::<M>(events);
    let mut seen = HashSet::new();
    let mut path = vec![Place {
        taken: Taken::default(),
        state: start.clone(),
        next: 0,
        by: usize::MAX,
    }];
    let mut longest = (0, Taken::default(), start.clone());
    while let Some(place) = path.last_mut() {
        if place.taken.below() == events.len() {
            return Ok(path[1..].iter().map(|place| place.by).collect());
        }
        let found = next_candidate(events, &place.taken, place.next);
        let Some(index) = found else {
            path.pop();
            continue;
        };
        place.next = index + 1;
        let Some(state) = place.state.apply(&events[index].action) else {
            continue;
        };
        let taken = place.taken.with(index);
        if !seen.insert((taken.clone(), state.clone())) {
            continue;
        }
        if path.len() > longest.0 {
            longest = (path.len(), taken.clone(), state.clone());
        }
        if !state.may_go_on(&ends) {
            continue;
        }
        let next = taken.below();
        path.push(Place {
            taken,
            state,
            next,
            by: index,
        });
    }
    Err(refusal(events, &longest))
}

/// The first operation from `from` on that may be the next one.
fn next_candidate<A>(events: &[Event<A>], taken: &Taken, from: usize) -> Option<usize> {
    let mut first_end = u64::MAX;
    for (index, event) in events.iter().enumerate().skip(taken.below()) {
        if event.began > first_end {
            // So did all that follow.
            return None;
        }
        if taken.contains(index) {
            continue;
        }
        if index >= from {
            return Some(index);
        }
        first_end = first_end.min(event.ended);
    }
    None
}

fn refusal<M: Model>(events: &[Event<M::Action>], longest: &(usize, Taken, M)) -> Refusal {
    let (count, taken, state) = longest;
    let left = (taken.below()..events.len()).filter(|index| !taken.contains(*index));
    let mut story = format!("it leads to {state:?} and leaves\n");
    for index in left.take(SHOWN) {
        let event = &events[index];
        story += &format!(
            "  {}..{} thread {}: {:?}\n",
            event.began, event.ended, event.thread, event.action
        );
    }
    Refusal {
        taken: *count,
        operations: events.len(),
        story,
    }
}

/// Judges a history key by key, each key from the state that `start` gives.
///
/// # Errors
///
/// The first key whose operations no order explains.
pub fn judge_keys<K, M>(
    start: impl Fn(&K) -> M,
    history: History<(K, M::Action)>,
) -> Result<(), (K, Refusal)>
where
    K: Ord + Hash,
    M: Model,
{
    let keys: BTreeMap<K, History<M::Action>> = history.split();
    for (key, history) in keys {
        if let Err(refusal) = judge(&start(&key), &history) {
            return Err((key, refusal));
        }
    }
    Ok(())
}
