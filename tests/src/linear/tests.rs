//! What is accepted and what is refused.

use std::cell::Cell;

use fastrand::Rng;
use proptest::collection::vec;
use proptest::prelude::any;
use proptest::test_runner::{Config, TestRunner};

use super::*;

/// A history of `(invoked, responded, op, ret)`.
fn history<Op, Ret>(records: impl IntoIterator<Item = (u64, u64, Op, Ret)>) -> History<Op, Ret> {
    let record = |(invoked, responded, op, ret)| Record {
        invoked,
        responded,
        op,
        ret,
    };
    History::new(records.into_iter().map(record).collect())
}

/// Whether the operations answer as recorded in this order, and none that responded
/// before another was invoked comes after it.
fn fits<M: Model>(model: &M, history: &History<M::Op, M::Ret>, order: &[usize]) -> bool {
    let records = history.records();
    let mut state = model.initial();
    let answers = order
        .iter()
        .all(|&op| model.apply(&mut state, &records[op].op) == records[op].ret);
    let in_time = order.iter().enumerate().all(|(at, &op)| {
        let earlier = &order[..at];
        earlier
            .iter()
            .all(|&other| records[other].invoked < records[op].responded)
    });
    answers && in_time
}

/// Looks at every order there is.
fn any_order_fits<M: Model>(model: &M, history: &History<M::Op, M::Ret>) -> bool {
    fn permute(order: &mut Vec<usize>, at: usize, fits: &mut impl FnMut(&[usize]) -> bool) -> bool {
        if at == order.len() {
            return fits(order);
        }
        (at..order.len()).any(|other| {
            order.swap(at, other);
            let found = permute(order, at + 1, fits);
            order.swap(at, other);
            found
        })
    }
    let mut order = (0..history.len()).collect();
    permute(&mut order, 0, &mut |order| fits(model, history, order))
}

#[track_caller]
fn accepted<M: Model>(model: M, records: impl IntoIterator<Item = (u64, u64, M::Op, M::Ret)>) {
    let history = history(records);
    let order = check(&model, &history).unwrap();
    assert!(fits(&model, &history, &order));
    assert_eq!(order.len(), history.len());
}

#[track_caller]
fn refused<M: Model>(model: M, records: impl IntoIterator<Item = (u64, u64, M::Op, M::Ret)>) {
    let history = history(records);
    let failure = check(&model, &history).unwrap_err();
    assert_eq!(failure.cause, Cause::Refused, "{failure}");
    assert!(!any_order_fits(&model, &history));
}

#[test]
fn a_read_may_see_what_was_written_while_it_ran_and_nothing_older() {
    use RegisterOp::{Get, Insert};
    let write = (0, 3, Insert(1), None);
    for found in [None, Some(1)] {
        accepted(Register::default(), [write, (1, 2, Get, found)]);
        accepted(Register::default(), [write, (1, 4, Get, found)]);
    }
    accepted(Register::default(), [write, (4, 5, Get, Some(1))]);
    // A stale read.
    refused(Register::default(), [write, (4, 5, Get, None)]);
    // From nowhere.
    refused(Register::default(), [write, (1, 2, Get, Some(2))]);
    // From the future.
    refused(
        Register::default(),
        [(4, 5, Insert(1), None), (0, 1, Get, Some(1))],
    );
}

#[test]
fn two_reads_do_not_see_a_write_come_and_go() {
    use RegisterOp::{Get, Insert};
    let write = (0, 9, Insert(1), None);
    accepted(
        Register::default(),
        [write, (1, 2, Get, None), (3, 4, Get, Some(1))],
    );
    refused(
        Register::default(),
        [write, (1, 2, Get, Some(1)), (3, 4, Get, None)],
    );
    // Two readers that overlap may disagree.
    accepted(
        Register::default(),
        [write, (1, 4, Get, Some(1)), (2, 3, Get, None)],
    );
}

#[test]
fn a_lost_update_is_refused() {
    use RegisterOp::{Add, CompareAndSet, Get};
    let adds = [(0, 2, Add(1), Some(0)), (1, 3, Add(1), Some(0))];
    refused(Register(Some(0)), adds);
    let adds = [(0, 2, Add(1), Some(0)), (1, 3, Add(1), Some(1))];
    accepted(Register(Some(0)), adds);
    refused(Register(Some(0)), [adds[0], adds[1], (4, 5, Get, Some(1))]);
    let put = |value| CompareAndSet {
        expected: None,
        new: Some(value),
    };
    accepted(
        Register(None),
        [(0, 2, put(1), None), (1, 3, put(2), Some(1))],
    );
    // Two that both found the key absent.
    refused(Register(None), [(0, 2, put(1), None), (1, 3, put(2), None)]);
}

#[test]
fn a_value_is_replaced_or_removed_once() {
    use RegisterOp::{Insert, Remove};
    accepted(
        Register(Some(7)),
        [(0, 2, Remove, Some(7)), (1, 3, Remove, None)],
    );
    refused(
        Register(Some(7)),
        [(0, 2, Remove, Some(7)), (1, 3, Remove, Some(7))],
    );
    refused(
        Register(Some(7)),
        [(0, 2, Insert(8), Some(7)), (1, 3, Remove, Some(7))],
    );
    use MemberOp::{Contains, Insert as Put, Remove as Take};
    refused(Member(false), [(0, 2, Put, true), (1, 3, Put, true)]);
    refused(Member(true), [(0, 2, Take, true), (1, 3, Take, true)]);
    refused(Member(false), [(0, 1, Put, true), (2, 3, Contains, false)]);
    accepted(
        Member(false),
        [(0, 2, Put, true), (1, 4, Take, true), (3, 5, Put, true)],
    );
}

#[test]
fn a_stack_gives_each_value_once_and_the_last_first() {
    use StackOp::{Pop, Push};
    let pushes = [(0, 1, Push(1), None), (2, 3, Push(2), None)];
    let then = |more: [_; 2]| [pushes[0], pushes[1], more[0], more[1]];
    accepted(
        Stack::default(),
        then([(4, 5, Pop, Some(2)), (6, 7, Pop, Some(1))]),
    );
    accepted(
        Stack::default(),
        then([(4, 6, Pop, Some(1)), (5, 7, Pop, Some(2))]),
    );
    refused(
        Stack::default(),
        then([(4, 5, Pop, Some(1)), (6, 7, Pop, Some(2))]),
    );
    // Twice the same.
    refused(
        Stack::default(),
        then([(4, 6, Pop, Some(2)), (5, 7, Pop, Some(2))]),
    );
    // Empty, though something was there all the time.
    refused(
        Stack::default(),
        then([(4, 6, Pop, Some(2)), (5, 7, Pop, None)]),
    );
}

#[test]
fn a_queue_gives_each_value_once_and_the_first_first() {
    use QueueOp::{Dequeue, Enqueue};
    let ordered = [(0, 1, Enqueue(1), None), (2, 3, Enqueue(2), None)];
    let overlapping = [(0, 2, Enqueue(1), None), (1, 3, Enqueue(2), None)];
    let out = [(4, 5, Dequeue, Some(2)), (6, 7, Dequeue, Some(1))];
    refused(Queue::default(), ordered.into_iter().chain(out));
    accepted(Queue::default(), overlapping.into_iter().chain(out));
    let twice = [(4, 6, Dequeue, Some(1)), (5, 7, Dequeue, Some(1))];
    refused(Queue::default(), ordered.into_iter().chain(twice));
    let lost = [(4, 5, Dequeue, Some(1)), (6, 7, Dequeue, None)];
    refused(Queue::default(), ordered.into_iter().chain(lost));
}

#[test]
fn an_ordered_set_gives_the_least() {
    use OrderedOp::{First, Insert, PopFirst, Remove};
    use OrderedRet::{Is, Key};
    let puts = [(0, 1, Insert(2), Is(true)), (2, 5, Insert(1), Is(true))];
    for least in [1, 2] {
        let look = (3, 4, First, Key(Some(least)));
        accepted(OrderedSet::default(), puts.into_iter().chain([look]));
    }
    let late = (6, 7, First, Key(Some(2)));
    refused(OrderedSet::default(), puts.into_iter().chain([late]));
    let pops = [
        (6, 8, PopFirst, Key(Some(1))),
        (7, 9, PopFirst, Key(Some(1))),
    ];
    refused(OrderedSet::default(), puts.into_iter().chain(pops));
    // Every key by itself would be in order; the set is not.
    let empty = [(6, 8, PopFirst, Key(Some(2))), (7, 9, Remove(1), Is(true))];
    accepted(OrderedSet::default(), puts.into_iter().chain(empty));
    let empty = [(6, 7, PopFirst, Key(Some(2))), (8, 9, Remove(1), Is(true))];
    refused(OrderedSet::default(), puts.into_iter().chain(empty));
}

#[test]
fn keys_are_judged_by_themselves() {
    let on = |key, op| Keyed { key, op };
    use RegisterOp::{Get, Insert};
    let records = [
        (0, 1, on('a', Insert(1)), None),
        (2, 3, on('b', Insert(2)), None),
        (4, 5, on('a', Get), Some(1)),
        (6, 7, on('b', Get), None),
    ];
    let model = |_: &char| Register::default();
    let good = history(records.iter().copied().take(3));
    assert_eq!(check_each_key(model, good).unwrap(), 2);
    let (key, failure) = check_each_key(model, history(records)).unwrap_err();
    assert_eq!((key, failure.cause), ('b', Cause::Refused));
}

#[test]
fn what_is_left_in_the_end_counts() {
    use RegisterOp::{Get, Insert};
    for (left, is_fine) in [(Some(1), false), (Some(2), true), (None, false)] {
        let mut history = history([(0, 5, Insert(1), None), (1, 3, Insert(2), Some(1))]);
        assert_eq!(history.overlaps(), 1);
        history.push_last(Get, left);
        assert_eq!(
            check(&Register::default(), &history).is_ok(),
            is_fine,
            "{left:?}"
        );
    }
}

#[test]
fn a_failure_names_what_does_not_fit() {
    use RegisterOp::{Get, Insert};
    let records = [
        (0, 1, Insert(41), None),
        (2, 3, Get, Some(42)),
        (4, 5, Get, Some(43)),
    ];
    let failure = check(&Register::default(), &history(records)).unwrap_err();
    assert_eq!(failure.longest, [0]);
    let text = failure.to_string();
    for part in [
        "not linearizable; 1 of 3",
        "Insert(41) -> None",
        "Get -> Some(42)",
    ] {
        assert!(text.contains(part), "{text}");
    }
    assert!(!text.contains("43"), "{text}");
}

#[test]
fn configurations_are_not_visited_twice() {
    // Without memory, all orders of 12 equal additions would be gone through.
    use RegisterOp::{Add, Get};
    let adds = (0..12).map(|at| (at, 100 + at, Add(0), Some(0)));
    let wrong = [(200, 201, Get, Some(1))];
    let history = history(adds.chain(wrong));
    let failure = check_within(&Register(Some(0)), &history, 1 << 12).unwrap_err();
    assert_eq!(failure.cause, Cause::Refused);
    assert_eq!(failure.longest.len(), 12);
    let failure = check_within(&Register(Some(0)), &history, 100).unwrap_err();
    assert_eq!(failure.cause, Cause::GaveUp);
}

#[test]
#[should_panic(expected = "a stamp was taken twice")]
fn stamps_that_leave_the_order_open_are_refused() {
    let _ = history([
        (0, 1, MemberOp::Insert, true),
        (1, 2, MemberOp::Remove, true),
    ]);
}

/// Histories of up to six operations: answers of a real order, some of them then
/// replaced. Compares the checker with the search through all orders.
#[track_caller]
fn agrees<M: Model>(
    model: impl Fn() -> M,
    op: impl Fn(&mut Rng) -> M::Op,
    ret: impl Fn(&mut Rng) -> M::Ret,
) {
    let verdicts = [Cell::new(0), Cell::new(0)];
    let cases = Config::default().cases.max(500);
    let mut runner = TestRunner::new(Config {
        failure_persistence: None,
        ..Config::with_cases(cases)
    });
    let spans = vec((any::<u16>(), any::<u16>(), any::<u16>()), 1..=6);
    runner
        .run(&(spans, any::<u64>()), |(spans, seed)| {
            let history = small(&model(), &spans, &mut Rng::with_seed(seed), &op, &ret);
            let found = check(&model(), &history);
            let expected = any_order_fits(&model(), &history);
            assert_eq!(found.is_ok(), expected, "{history:?}");
            match found {
                Ok(order) => assert!(fits(&model(), &history, &order), "{history:?}"),
                Err(failure) => assert_eq!(failure.cause, Cause::Refused),
            }
            let count = &verdicts[usize::from(expected)];
            count.set(count.get() + 1);
            Ok(())
        })
        .unwrap();
    assert!(
        verdicts.iter().all(|count| count.get() > cases / 10),
        "{verdicts:?}"
    );
}

fn small<M: Model>(
    model: &M,
    spans: &[(u16, u16, u16)],
    rng: &mut Rng,
    op: impl Fn(&mut Rng) -> M::Op,
    ret: impl Fn(&mut Rng) -> M::Ret,
) -> History<M::Op, M::Ret> {
    // Distinct stamps: each names its operation, and is odd for responses.
    let stamp = |at: u16, op: usize, is_end: u64| u64::from(at) * 16 + op as u64 * 2 + is_end;
    let mut points: Vec<_> = spans
        .iter()
        .enumerate()
        .map(|(index, &(a, b, point))| {
            let (start, end) = (a.min(b), a.max(b));
            let point = u64::from(start) + u64::from(point) % (u64::from(end - start) + 1);
            (point, stamp(start, index, 0), stamp(end, index, 1))
        })
        .collect();
    points.sort_unstable();
    let mut state = model.initial();
    let records = points.into_iter().map(|(_, invoked, responded)| {
        let op = op(rng);
        let honest = model.apply(&mut state, &op);
        let answer = if rng.u8(..5) == 0 { ret(rng) } else { honest };
        (invoked, responded, op, answer)
    });
    history(records.collect::<Vec<_>>())
}

fn found(rng: &mut Rng) -> Option<u64> {
    rng.bool().then(|| rng.u64(..3))
}

#[test]
fn registers_are_judged_as_by_a_search_through_all_orders() {
    let op = |rng: &mut Rng| match rng.u8(..5) {
        0 => RegisterOp::Get,
        1 => RegisterOp::Insert(rng.u64(..3)),
        2 => RegisterOp::Remove,
        3 => RegisterOp::Add(1),
        _ => RegisterOp::CompareAndSet {
            expected: found(rng),
            new: found(rng),
        },
    };
    agrees(Register::default, op, found);
}

#[test]
fn members_are_judged_as_by_a_search_through_all_orders() {
    use MemberOp::{Contains, Insert, Remove};
    let op = |rng: &mut Rng| [Contains, Insert, Remove][rng.usize(..3)];
    agrees(Member::default, op, Rng::bool);
}

#[test]
fn stacks_are_judged_as_by_a_search_through_all_orders() {
    let op = |rng: &mut Rng| match rng.u8(..5) {
        0..3 => StackOp::Push(rng.u64(..3)),
        _ => StackOp::Pop,
    };
    agrees(Stack::default, op, found);
}

#[test]
fn queues_are_judged_as_by_a_search_through_all_orders() {
    let op = |rng: &mut Rng| match rng.u8(..5) {
        0..3 => QueueOp::Enqueue(rng.u64(..3)),
        _ => QueueOp::Dequeue,
    };
    agrees(Queue::default, op, found);
}

#[test]
fn ordered_sets_are_judged_as_by_a_search_through_all_orders() {
    let op = |rng: &mut Rng| {
        let key = rng.u64(..3);
        match rng.u8(..6) {
            0 => OrderedOp::Contains(key),
            1 | 2 => OrderedOp::Insert(key),
            3 => OrderedOp::Remove(key),
            4 => OrderedOp::First,
            _ => OrderedOp::PopFirst,
        }
    };
    let ret = |rng: &mut Rng| match rng.bool() {
        true => OrderedRet::Is(rng.bool()),
        false => OrderedRet::Key(found(rng)),
    };
    agrees(OrderedSet::default, op, ret);
}
