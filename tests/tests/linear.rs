//! The judge of histories: what it must refuse, what it must accept, and that it
//! agrees with trying all orders.
#![cfg(not(miri))]

#[path = "linear/structures.rs"]
mod structures;

use proptest::prelude::*;
use smr_tests::linear::drive::{Keys, Map, Members, PushPop, Sequence, Set};
use smr_tests::linear::models::{OnKey, OnSequence, OnSet, OrderedSet, Queue, Register, Stack};
use smr_tests::linear::{Event, History, Model, judge, judge_keys, record};
use structures::{Locked, LockedSequence, LockedSet};

/// A history of these operations: began, ended, action.
fn history<A>(events: impl IntoIterator<Item = (u64, u64, A)>) -> History<A> {
    let events = events.into_iter().enumerate();
    let events = events.map(|(thread, (began, ended, action))| Event {
        thread,
        began,
        ended,
        action,
    });
    History::new(events.collect())
}

#[track_caller]
fn fine<M: Model>(start: &M, history: &History<M::Action>) {
    if let Err(refusal) = judge(start, history) {
        panic!("{refusal}");
    }
}

#[track_caller]
fn refused<M: Model>(start: &M, history: &History<M::Action>) {
    if let Ok(order) = judge(start, history) {
        panic!("explained by {order:?}: {:#?}", history.events());
    }
}

fn insert(new: u64, old: Option<u64>) -> OnKey {
    OnKey::Insert { new, old }
}

fn get(now: impl Into<Option<u64>>) -> OnKey {
    OnKey::Get { now: now.into() }
}

#[test]
fn a_stale_answer_is_refused_unless_it_overlaps_the_change() {
    let read = |began| history([(0, 1, insert(7, None)), (began, 9, get(None))]);
    refused(&Register::default(), &read(2));
    fine(&Register::default(), &read(1));
}

#[test]
fn readers_must_agree_on_the_order() {
    // Two inserts at once; one reader sees 1 and then 2, another 2 and then 1.
    let read = |second: [u64; 2]| {
        history([
            (0, 99, insert(1, None)),
            (0, 99, insert(2, Some(1))),
            (10, 11, get(1)),
            (12, 13, get(2)),
            (10, 11, get(second[0])),
            (12, 13, get(second[1])),
        ])
    };
    fine(&Register::default(), &read([1, 2]));
    refused(&Register::default(), &read([2, 1]));
}

#[test]
fn a_lost_update_is_refused() {
    let add = |now| OnKey::Add {
        by: 1,
        now: Some(now),
    };
    let two = |second| history([(0, 9, add(1)), (0, 9, add(second))]);
    fine(&Register(Some(0)), &two(2));
    refused(&Register(Some(0)), &two(1));
    // Both answers are right, but what remains is not.
    let mut lost = two(2);
    lost.then(get(1));
    refused(&Register(Some(0)), &lost);
}

#[test]
fn an_instant_of_absence_of_a_replaced_key_is_refused() {
    let replace = (0, 9, insert(2, Some(1)));
    refused(&Register(Some(1)), &history([replace, (3, 4, get(None))]));
    fine(&Register(Some(1)), &history([replace, (3, 4, get(1))]));
}

#[test]
fn a_swap_that_went_wrong_is_refused() {
    let swap = |found| OnKey::Swap {
        expected: Some(1),
        new: None,
        found,
    };
    let twice = |second| history([(0, 9, swap(Some(1))), (0, 9, swap(second))]);
    fine(&Register(Some(1)), &twice(None));
    refused(&Register(Some(1)), &twice(Some(1)));
}

#[test]
fn a_value_that_is_popped_twice_is_refused() {
    use OnSequence::{Pop, Push};
    let twice = |second| history([(0, 1, Push(1)), (2, 9, Pop(Some(1))), (2, 9, Pop(second))]);
    refused(&Stack::default(), &twice(Some(1)));
    refused(&Queue::default(), &twice(Some(1)));
    fine(&Stack::default(), &twice(None));
    fine(&Queue::default(), &twice(None));
}

#[test]
fn a_value_that_was_never_pushed_or_is_lost_is_refused() {
    use OnSequence::{Peek, Pop, Push};
    refused(&Queue::default(), &history([(0, 1, Pop(Some(1)))]));
    let lost = history([(0, 1, Push(1)), (2, 3, Pop(None))]);
    refused(&Queue::default(), &lost);
    refused(&Stack::default(), &lost);
    refused(
        &Stack::default(),
        &history([(0, 1, Push(1)), (2, 3, Peek(None))]),
    );
}

#[test]
fn the_order_of_a_stack_is_refused_for_a_queue_and_the_other_way_round() {
    use OnSequence::{Pop, Push};
    let popped = |began, first, second| {
        history([
            (0, 1, Push(1)),
            (began, 3, Push(2)),
            (4, 5, Pop(Some(first))),
            (6, 7, Pop(Some(second))),
        ])
    };
    fine(&Queue::default(), &popped(2, 1, 2));
    refused(&Queue::default(), &popped(2, 2, 1));
    fine(&Stack::default(), &popped(2, 2, 1));
    refused(&Stack::default(), &popped(2, 1, 2));
    // Where the pushes overlap, either is right.
    fine(&Queue::default(), &popped(0, 2, 1));
    fine(&Stack::default(), &popped(0, 1, 2));
}

#[test]
fn a_smallest_key_that_is_not_the_smallest_is_refused() {
    let first = |key| {
        history([
            (0, 1, OnSet::Insert(1, true)),
            (2, 3, OnSet::Insert(2, true)),
            (4, 5, OnSet::First(Some(key))),
            (6, 7, OnSet::Last(Some(2))),
        ])
    };
    fine(&OrderedSet::default(), &first(1));
    refused(&OrderedSet::default(), &first(2));
    // Each key's own history is fine; the set's is not: 1 was there throughout.
    let popped = history([
        (0, 1, OnSet::Insert(1, true)),
        (2, 3, OnSet::Insert(2, true)),
        (4, 5, OnSet::PopFirst(Some(2))),
    ]);
    refused(&OrderedSet::default(), &popped);
}

#[test]
fn the_keys_of_a_map_are_judged_one_by_one() {
    let map = |of_second| {
        history([
            (0, 1, (1, insert(7, None))),
            (2, 3, (2, get(of_second))),
            (4, 5, (1, get(7))),
        ])
    };
    assert!(judge_keys(|_| Register::default(), map(None)).is_ok());
    let (key, refusal) = judge_keys(|_| Register::default(), map(Some(7))).unwrap_err();
    assert_eq!((key, refusal.taken, refusal.operations), (2, 0, 1));
}

#[test]
fn the_order_that_is_given_explains_the_history() {
    let queue = LockedSequence::queue();
    let history = record(&PushPop(&queue), 3, 300, 1);
    let order = judge(&Queue::default(), &history).expect("a lock around it all");
    let events = history.events();
    let mut state = Queue::default();
    let mut latest_begin = 0;
    for &index in &order {
        state = state.apply(&events[index].action).expect("the answer");
        assert!(events[index].ended > latest_begin, "taken too late");
        latest_begin = latest_begin.max(events[index].began);
    }
    let mut all = order;
    all.sort_unstable();
    assert!(all.into_iter().eq(0..events.len()));
}

/// How many recordings a mistake may stay unseen.
const ATTEMPTS: u64 = 200;

/// Whether a map's mistakes are seen.
fn map_is_refused(map: impl Fn() -> Locked) -> bool {
    (0..ATTEMPTS).any(|seed| {
        let map = map();
        let driven = Keys { map: &map, keys: 2 };
        let history = record(&driven, 3, 60, seed);
        judge_keys(|_| Register::default(), history).is_err()
    })
}

#[test]
fn a_map_that_checks_and_then_acts_is_refused() {
    assert!(map_is_refused(Locked::with_a_gap), "the judge is blind");
}

#[test]
fn a_map_whose_keys_are_absent_while_they_are_replaced_is_refused() {
    assert!(
        map_is_refused(Locked::absent_at_times),
        "the judge is blind"
    );
}

#[test]
fn a_stack_and_a_queue_that_look_and_then_pop_are_refused() {
    let stack = (0..ATTEMPTS).any(|seed| {
        let stack = LockedSequence::stack().with_a_gap();
        let history = record(&PushPop(&stack), 3, 60, seed);
        judge(&Stack::default(), &history).is_err()
    });
    let queue = (0..ATTEMPTS).any(|seed| {
        let queue = LockedSequence::queue().with_a_gap();
        let history = record(&PushPop(&queue), 3, 60, seed);
        judge(&Queue::default(), &history).is_err()
    });
    assert!(
        stack && queue,
        "blind to a stack: {stack}, a queue: {queue}"
    );
}

#[test]
fn a_set_whose_smallest_key_is_looked_up_and_then_removed_is_refused() {
    let seen = (0..ATTEMPTS).any(|seed| {
        let set = LockedSet::with_a_gap();
        let history = record(&Members { set: &set, keys: 4 }, 3, 60, seed);
        judge(&OrderedSet::default(), &history).is_err()
    });
    assert!(seen, "the judge is blind");
}

#[test]
fn structures_behind_a_lock_are_fine() {
    for seed in 0..20 {
        let map = Locked::sound();
        let mut history = record(&Keys { map: &map, keys: 3 }, 4, 500, seed);
        (0..3).for_each(|key| history.then((key, get(map.get(key)))));
        judge_keys(|_| Register::default(), history).expect("a lock around it all");

        let stack = LockedSequence::stack();
        let mut history = record(&PushPop(&stack), 3, 200, seed);
        while let Some(value) = stack.pop() {
            history.then(OnSequence::Pop(Some(value)));
        }
        fine(&Stack::default(), &history);

        let queue = LockedSequence::queue();
        let mut history = record(&PushPop(&queue), 3, 200, seed);
        while let Some(value) = queue.pop() {
            history.then(OnSequence::Pop(Some(value)));
        }
        fine(&Queue::default(), &history);

        let set = LockedSet::sound();
        let mut history = record(&Members { set: &set, keys: 5 }, 3, 200, seed);
        while let Some(key) = set.pop_first() {
            history.then(OnSet::PopFirst(Some(key)));
        }
        fine(&OrderedSet::default(), &history);
    }
}

/// Pairs of values that were put in at once, each in the order that the search tries last,
/// and taken out when all of them were in: 2^40 orders, if each pair is found to be wrong
/// only then.
#[test]
fn what_is_put_in_at_once_and_taken_out_much_later_is_judged_soon() {
    const PAIRS: u64 = 40;
    let put = (0..PAIRS).flat_map(|pair| {
        let push = |at, which| (at, 10 * pair + 5, OnSequence::Push(2 * pair + which));
        [push(10 * pair, 0), push(10 * pair + 1, 1)]
    });
    let take = |values: Vec<u64>| {
        let pops = (10 * PAIRS..).step_by(10).zip(values);
        pops.map(|(at, value)| (at, at + 5, OnSequence::Pop(Some(value))))
    };
    let (last_first, first_first) = (
        (0..PAIRS).rev().flat_map(|pair| [2 * pair, 2 * pair + 1]),
        (0..PAIRS).flat_map(|pair| [2 * pair + 1, 2 * pair]),
    );
    let stack = history(put.clone().chain(take(last_first.collect())));
    fine(&Stack::default(), &stack);
    let queue = history(put.chain(take(first_first.collect())));
    fine(&Queue::default(), &queue);
}

/// Whether any order at all explains the rest of the history.
fn by_force<M: Model>(state: &M, left: &[&Event<M::Action>]) -> bool {
    left.is_empty()
        || left.iter().enumerate().any(|(index, event)| {
            let first = left.iter().all(|other| event.began <= other.ended);
            let then = first.then(|| state.apply(&event.action)).flatten();
            then.is_some_and(|then| {
                let mut left = left.to_vec();
                left.remove(index);
                by_force(&then, &left)
            })
        })
}

/// Whether the judge says of this history what trying all orders says.
fn agrees<M: Model + Default>(history: &History<M::Action>) -> (bool, bool) {
    let all: Vec<_> = history.events().iter().collect();
    let start = M::default();
    (judge(&start, history).is_ok(), by_force(&start, &all))
}

/// Operations that began and ended somewhere on a short line.
fn histories<A: std::fmt::Debug + Clone + 'static>(
    action: impl Strategy<Value = A> + 'static,
) -> impl Strategy<Value = History<A>> {
    let event = (0_u64..12, 0_u64..5, action);
    let event = event.prop_map(|(began, lasts, action)| (began, began + lasts, action));
    proptest::collection::vec(event, 0..7).prop_map(history)
}

fn value() -> impl Strategy<Value = Option<u64>> {
    prop_oneof![Just(None), (1_u64..3).prop_map(Some)]
}

fn on_key() -> impl Strategy<Value = OnKey> {
    prop_oneof![
        value().prop_map(get),
        (1_u64..3, value()).prop_map(|(new, old)| insert(new, old)),
        (1_u64..3, value()).prop_map(|(new, old)| OnKey::TryInsert { new, old }),
        value().prop_map(|old| OnKey::Remove { old }),
        value().prop_map(|now| OnKey::Add { by: 1, now }),
        (value(), value(), value()).prop_map(|(expected, new, found)| OnKey::Swap {
            expected,
            new,
            found
        }),
    ]
}

fn on_sequence() -> impl Strategy<Value = OnSequence> {
    prop_oneof![
        (1_u64..3).prop_map(OnSequence::Push),
        value().prop_map(OnSequence::Pop),
        value().prop_map(OnSequence::Peek),
    ]
}

fn on_set() -> impl Strategy<Value = OnSet> {
    prop_oneof![
        (1_u64..3, any::<bool>()).prop_map(|(key, new)| OnSet::Insert(key, new)),
        (1_u64..3, any::<bool>()).prop_map(|(key, was)| OnSet::Remove(key, was)),
        value().prop_map(OnSet::First),
        value().prop_map(OnSet::PopFirst),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_judge_of_keys_agrees_with_trying_all_orders(history in histories(on_key())) {
        let (judged, forced) = agrees::<Register>(&history);
        prop_assert_eq!(judged, forced);
    }

    #[test]
    fn the_judge_of_stacks_and_queues_agrees_with_trying_all_orders(
        history in histories(on_sequence()),
    ) {
        let (judged, forced) = agrees::<Stack>(&history);
        prop_assert_eq!(judged, forced);
        let (judged, forced) = agrees::<Queue>(&history);
        prop_assert_eq!(judged, forced);
    }

    #[test]
    fn the_judge_of_sets_agrees_with_trying_all_orders(history in histories(on_set())) {
        let (judged, forced) = agrees::<OrderedSet>(&history);
        prop_assert_eq!(judged, forced);
    }
}

/// Random answers are mostly wrong: here most are right, and one may be spoilt.
#[test]
fn the_judge_agrees_where_nearly_all_answers_are_right() {
    let mut dice = fastrand::Rng::with_seed(5);
    let mut verdicts = [0, 0];
    for seed in 0..2000 {
        let map = Locked::with_a_gap();
        let driven = Keys { map: &map, keys: 1 };
        let history = record(&driven, 2, 4, seed);
        let mut spoil = dice.usize(..16);
        let history = history.map(|(_, action)| {
            spoil = spoil.wrapping_sub(1);
            match action {
                OnKey::Get { .. } if spoil < 8 => get(None),
                action => action,
            }
        });
        let (judged, forced) = agrees::<Register>(&history);
        assert_eq!(judged, forced, "{:#?}", history.events());
        verdicts[usize::from(judged)] += 1;
    }
    assert!(verdicts.iter().all(|count| *count > 20), "{verdicts:?}");
}
