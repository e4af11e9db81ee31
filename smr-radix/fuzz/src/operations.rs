//! Sequences of operations against `BTreeMap`.
//!
//! The first two bytes of the input say which tree, and how keys lie. Each step is four
//! bytes: what to do, and three operands. Tunables are shrunk (`smr_tiny`), so that
//! buckets are sealed and collected all the time.
//!
//! ```text
//! mkdir -p corpus
//! cargo +nightly run --release -- corpus seeds -max_total_time=60
//! ```
//!
//! `make-seeds` makes what is in `seeds`.

#![no_main]

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use libfuzzer_sys::fuzz_target;
use smr_core::{Domain, Guard};
use smr_radix::{Boxed, Change, Inline, Mark, Policy, Tree};

/// A value that is counted while it lives.
struct Counted(u64, Rc<Cell<i64>>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.1.set(self.1.get() - 1);
    }
}

type Live = Rc<Cell<i64>>;

/// How a tree keeps numbers.
trait Kind: 'static {
    type Policy: Policy;

    fn value(number: u64, live: &Live) -> <Self::Policy as Policy>::Value;
    fn number(value: <Self::Policy as Policy>::Val<'_>) -> u64;
    fn owned(value: &<Self::Policy as Policy>::Value) -> u64;
}

struct ByReference;

impl Kind for ByReference {
    type Policy = Boxed<Counted>;

    fn value(number: u64, live: &Live) -> Counted {
        live.set(live.get() + 1);
        Counted(number, Rc::clone(live))
    }

    fn number(value: &Counted) -> u64 {
        value.0
    }

    fn owned(value: &Counted) -> u64 {
        value.0
    }
}

/// Odd numbers are too large for a slot.
struct InNodes;

impl Kind for InNodes {
    type Policy = Inline<u64>;

    fn value(number: u64, _: &Live) -> u64 {
        number.rotate_right(1)
    }

    fn number(value: u64) -> u64 {
        value.rotate_left(1)
    }

    fn owned(value: &u64) -> u64 {
        Self::number(*value)
    }
}

type Val<'g, T> = <<T as Kind>::Policy as Policy>::Val<'g>;

/// Keys that lie in different ways: by the byte, and spread over the digits.
fn place(how: u8, n: u8) -> u64 {
    let n64 = u64::from(n);
    match how % 6 {
        0 => n64,
        1 => n64 << 6,
        2 => (n64 & 7) << 57 | n64 >> 3,
        3 => 1_u64.rotate_left(u32::from(n)) ^ n64 >> 6,
        4 => u64::MAX - n64,
        _ => n64.wrapping_mul(0x9e37_79b9_7f4a_7c15),
    }
}

struct Play<T: Kind> {
    tree: Tree<u64, T::Policy>,
    /// Number and marks.
    model: BTreeMap<u64, (u64, u8)>,
    live: Live,
}

fn plain((key, (number, _)): (&u64, &(u64, u8))) -> (u64, u64) {
    (*key, *number)
}

fn entry<T: Kind>((key, value): (u64, Val<'_, T>)) -> (u64, u64) {
    (key, T::number(value))
}

impl<T: Kind> Play<T> {
    fn put(&mut self, key: u64, number: u64) -> Option<u64> {
        let known = self.model.get(&key).map(|known| known.0);
        self.model.entry(key).or_default().0 = number;
        known
    }

    fn step(&mut self, guard: &Guard, [what, key, to, new]: [u64; 4]) {
        let known = self.model.get(&key).map(|known| known.0);
        let live = Rc::clone(&self.live);
        let value = || T::value(new, &live);
        let mark = Mark::new(new as u32 % 3).expect("there are three");
        let bit = 1 << mark.number();
        let (from, end) = (key.min(to), key.max(to));
        match what % 20 {
            0..4 => {
                let old = self.tree.insert(key, value(), guard).map(T::number);
                assert_eq!(old, self.put(key, new));
            }
            4..7 => {
                assert_eq!(self.tree.remove(key, guard).map(T::number), known);
                self.model.remove(&key);
            }
            7 => {
                let made = self.tree.try_insert(key, value(), guard).is_ok();
                assert_eq!(made, known.is_none());
                self.model.entry(key).or_insert((new, 0));
            }
            8 => {
                let told = |now: Option<Val<'_, T>>| match now.map(T::number) {
                    None => Change::Put(T::value(new, &live)),
                    Some(old) if old % 3 == 0 => Change::Remove,
                    Some(old) if old % 3 == 1 => Change::Leave,
                    Some(old) => Change::Put(T::value(old ^ new, &live)),
                };
                let ours = self.tree.compute(key, told, guard).map(T::number);
                match known {
                    None => _ = self.put(key, new),
                    Some(old) if old % 3 == 0 => _ = self.model.remove(&key),
                    Some(old) if old % 3 == 1 => {}
                    Some(old) => _ = self.put(key, old ^ new),
                }
                assert_eq!(ours, self.model.get(&key).map(|known| known.0));
            }
            9 => {
                let ours = self.tree.replace(key, value(), guard).ok().map(T::number);
                assert_eq!(ours, known);
                if known.is_some() {
                    self.put(key, new);
                }
            }
            10 => {
                let gone: Vec<u64> = self.model.range(from..end).map(|known| *known.0).collect();
                assert_eq!(self.tree.remove_range(from..end, guard), gone.len());
                gone.iter().for_each(|key| _ = self.model.remove(key));
            }
            11 => {
                self.tree.retain(|key, _| key % 5 != new % 5, guard);
                self.model.retain(|key, _| key % 5 != new % 5);
            }
            12 | 13 => {
                assert_eq!(self.tree.set_mark(key, mark, guard), known.is_some());
                self.model.entry(key).and_modify(|known| known.1 |= bit);
            }
            14 => {
                assert_eq!(self.tree.clear_mark(key, mark, guard), known.is_some());
                self.model.entry(key).and_modify(|known| known.1 &= !bit);
            }
            15 => {
                let within = self.model.range_mut(from..=end);
                let marked = within.map(|(_, known)| known.1 |= bit).count();
                assert_eq!(self.tree.set_mark_range(from..=end, mark, guard), marked);
            }
            16 => {
                let entries = (0..new % 40).map(|n| (key.wrapping_add(n), T::value(n, &live)));
                self.tree.insert_batch(entries, guard);
                (0..new % 40).for_each(|n| _ = self.put(key.wrapping_add(n), n));
            }
            17 => {
                let ours = self.tree.range(from..=end, guard).map(entry::<T>);
                assert!(ours.eq(self.model.range(from..=end).map(plain)));
                let ours = self.tree.range(from..end, guard).rev().map(entry::<T>);
                assert!(ours.eq(self.model.range(from..end).rev().map(plain)));
            }
            18 => {
                let mut cursor = self.tree.cursor(key, guard);
                let mut theirs = self.model.range(key..).map(plain);
                for _ in 0..new % 8 {
                    let here = cursor.key().zip(cursor.value()).map(entry::<T>);
                    assert_eq!(here, theirs.next());
                    cursor.next();
                }
                let ours = self.tree.get_lt(key, guard).map(entry::<T>);
                assert_eq!(ours, self.model.range(..key).next_back().map(plain));
            }
            _ => {
                let run = (key..=u64::MAX).take_while(|key| self.model.contains_key(key));
                assert_eq!(
                    self.tree.contiguous(key, 30, guard).count(),
                    run.take(30).count()
                );
                self.tree.flush();
            }
        }
        let has = self.model.get(&key).is_some_and(|known| known.1 & bit != 0);
        assert_eq!(self.tree.test_mark(key, mark, guard), has);
        let now = self.model.get(&key).map(|known| known.0);
        assert_eq!(self.tree.get(key, guard).map(T::number), now);
        assert_eq!(self.tree.len(), self.model.len());
        assert_eq!(self.tree.is_empty(), self.model.is_empty());
    }

    fn whole(&self, guard: &Guard) {
        let ours = self.tree.iter(guard).map(entry::<T>);
        assert!(ours.eq(self.model.iter().map(plain)));
        let back = self.tree.iter(guard).rev().map(entry::<T>);
        assert!(back.eq(self.model.iter().rev().map(plain)));
        for mark in Mark::ALL {
            let ours = self.tree.iter_marked(mark, guard).map(entry::<T>);
            let marked = self
                .model
                .iter()
                .filter(|known| known.1.1 >> mark.number() & 1 == 1);
            assert!(ours.eq(marked.map(plain)));
        }
    }
}

fn play<T: Kind>(how: u8, steps: &[u8]) {
    let live = Live::default();
    let domain = Domain::new();
    let mut play = Play::<T> {
        tree: Tree::new_in(&domain),
        model: BTreeMap::new(),
        live: Rc::clone(&live),
    };
    // In sections that end now and then.
    for section in steps.chunks(4 * 32) {
        let guard = domain.pin();
        for step in section.chunks_exact(4) {
            let [what, key, to, new] = [step[0], step[1], step[2], step[3]];
            let key = place(how.wrapping_add(what >> 6), key);
            play.step(&guard, [what.into(), key, place(how, to), new.into()]);
        }
        play.whole(&guard);
    }
    play.tree.flush();
    if live.get() != 0 {
        assert_eq!(
            live.get(),
            play.model.len() as i64,
            "dropped too late, or too early"
        );
    }
    let Play {
        mut tree, model, ..
    } = play;
    let right = model.iter().map(plain);
    if steps.len() % 2 == 0 {
        assert!(
            tree.drain()
                .map(|(key, value)| (key, T::owned(&value)))
                .eq(right)
        );
        assert!(tree.is_empty());
    } else {
        let left = tree.into_iter();
        assert!(left.map(|(key, value)| (key, T::owned(&value))).eq(right));
    }
    assert_eq!(live.get(), 0, "something was not dropped once");
}

fuzz_target!(|bytes: &[u8]| {
    let [which, how, steps @ ..] = bytes else {
        return;
    };
    if which % 2 == 0 {
        play::<ByReference>(*how, steps);
    } else {
        play::<InNodes>(*how, steps);
    }
});
