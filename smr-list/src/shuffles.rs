//! Cases for schedules at random, with more threads and longer than loom can look at.
//!
//! `cargo shuttle` runs them; see CONTRIBUTING.md. The memory is that of a pool, as it
//! is outside of models.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use smr_core::sync::AtomicU64;
use smr_core::sync::Ordering::{Acquire, Release};
use smr_core::sync::shuffle::{Counted, Ledger, below, shuffle, thread};
use smr_core::{Domain, Guard, Pool};

use crate::raw::chain::Chain;
use crate::raw::list::{RawHandle, RawList};
use crate::raw::node::Node;
use crate::raw::queue::RawQueue;
use crate::raw::rcu::RawRcu;
use crate::raw::segment::{Parcel, Segment};

const THREADS: u64 = 4;

type List = Chain<Counted, Pool<Node<Counted>>>;
type Handles = RawList<Counted, Pool<Node<Counted>>>;
type Queue = RawQueue<Counted, Pool<Segment<Counted>>, Pool<Parcel<Counted>>>;

/// Runs `work` on something in several threads, with the thread's number and a way to
/// pin; what they return, and then what `end` does, when all have ended.
fn crowd<L: Send + Sync + 'static, R: Send + 'static>(
    make: fn(&Domain) -> L,
    work: fn(&L, &Ledger, u64, &dyn Fn() -> Guard) -> R,
    end: fn(&L, Vec<R>, &Guard),
) {
    shuffle(move || {
        let domain = Domain::new();
        let ledger = Ledger::default();
        let list = Arc::new(make(&domain));
        let threads: Vec<_> = (0..THREADS)
            .map(|number| {
                let (list, domain, ledger) = (Arc::clone(&list), domain.clone(), ledger.clone());
                thread::spawn(move || {
                    let own = domain.register();
                    work(&list, &ledger, number, &|| own.pin())
                })
            })
            .collect();
        let returned = threads.into_iter().map(|thread| thread.join());
        let returned: Result<Vec<R>, _> = returned.collect();
        let own = domain.register();
        end(&list, returned.expect("it fails the case"), &own.pin());
        drop((own, list));
        ledger.check();
    });
}

/// Numbers that one thread put in, of which each comes after the one before.
fn numbers(of: u64) -> impl Iterator<Item = u64> {
    (0..).map(move |n| of * 100 + n)
}

/// What threads put in and took out of a stack or a queue.
#[derive(Default)]
struct Traffic {
    put: Vec<u64>,
    taken: Vec<u64>,
}

impl Traffic {
    /// Puts in and takes out as the seed says.
    fn run(number: u64, mut put: impl FnMut(u64), mut take: impl FnMut() -> Option<u64>) -> Self {
        let mut traffic = Self::default();
        for next in numbers(number).take(below(12) as usize) {
            put(next);
            traffic.put.push(next);
            for _ in 0..below(3) {
                traffic.taken.extend(take());
            }
        }
        traffic
    }

    /// All that was put in was taken out, once.
    fn check(all: Vec<Self>, rest: impl Iterator<Item = u64>) {
        let mut taken: Vec<u64> = rest.collect();
        let mut put = Vec::new();
        for traffic in all {
            taken.extend(traffic.taken);
            put.extend(traffic.put);
        }
        put.sort_unstable();
        taken.sort_unstable();
        assert_eq!(put, taken, "each once");
    }
}

#[test]
fn a_stack_gives_each_value_to_one() {
    fn pop(stack: &List, guard: &Guard) -> Option<u64> {
        stack.pop(guard).map(|node| node.value.read())
    }
    crowd(
        |domain| List::new(Pool::scoped_in(domain)),
        |stack, ledger, number, pin| {
            let put = |next| {
                stack.push(ledger.value(next), &pin());
            };
            Traffic::run(number, put, || pop(stack, &pin()))
        },
        |stack, all, guard| Traffic::check(all, std::iter::from_fn(|| pop(stack, guard))),
    );
}

#[test]
fn a_queue_gives_each_value_to_one_in_order() {
    fn pop(queue: &Queue, guard: &Guard) -> Option<u64> {
        queue.pop(guard).map(Counted::read)
    }
    crowd(
        |domain| Queue::new(Pool::scoped_in(domain), Pool::scoped_in(domain)),
        |queue, ledger, number, pin| {
            let put = |next| queue.push(&pin(), ledger.value(next));
            let traffic = Traffic::run(number, put, || pop(queue, &pin()));
            for of in 0..THREADS {
                let of_one = traffic.taken.iter().filter(|n| *n / 100 == of);
                assert!(of_one.is_sorted(), "one thread's come in its order");
            }
            traffic
        },
        |queue, all, guard| Traffic::check(all, std::iter::from_fn(|| pop(queue, guard))),
    );
}

/// Keys are the hundreds, so that a value can be told from what it replaced.
fn order(value: &Counted, key: u64) -> Ordering {
    (value.read() / 100).cmp(&key)
}

fn by_key(a: &Counted, b: &Counted) -> Ordering {
    order(a, b.read() / 100)
}

/// Threads write to keys of their own, which lie between those of others, and know what
/// they must find.
#[test]
fn in_an_ordered_list_each_thread_finds_what_it_wrote() {
    /// Without what took the place of a value while that was looked at.
    fn all(list: &List, guard: &Guard) -> Vec<u64> {
        let mut seen = Vec::new();
        let mut at = list.first(guard);
        while let Some(node) = at {
            seen.push(node.value.read());
            at = list.after(node, guard);
        }
        assert!(seen.is_sorted_by_key(|number| number / 100));
        seen.dedup_by_key(|number| *number / 100);
        seen
    }
    crowd(
        |domain| List::new(Pool::scoped_in(domain)),
        |list, ledger, number, pin| {
            let mut own = BTreeMap::<u64, u64>::new();
            for step in 0..below(12) {
                let guard = pin();
                let key = below(3) * THREADS + number;
                let value = key * 100 + step;
                match below(6) {
                    0 => {
                        let put = list.put(&guard, ledger.value(value), by_key);
                        let before = own.insert(key, value);
                        assert_eq!(put.map(|node| node.value.read()), before);
                    }
                    1 | 2 => {
                        let result = list.insert(&guard, ledger.value(value), by_key);
                        assert_eq!(result.is_ok(), !own.contains_key(&key));
                        own.entry(key).or_insert(value);
                    }
                    3 => {
                        let place = list.find(&guard, |value| order(value, key));
                        assert_eq!(list.remove(&guard, &place), own.remove(&key).is_some());
                    }
                    4 => {
                        let seen = all(list, &guard).into_iter();
                        let seen = seen.filter(|value| value / 100 % THREADS == number);
                        assert!(seen.eq(own.values().copied()), "each that is there");
                    }
                    _ => {
                        let found = list.look(&guard, |value| order(value, key));
                        let found = found.map(|node| node.value.read());
                        assert_eq!(found, own.get(&key).copied());
                    }
                }
            }
            own
        },
        |list, owned, guard| {
            let expected: BTreeMap<u64, u64> = owned.into_iter().flatten().collect();
            assert!(all(list, guard).into_iter().eq(expected.into_values()));
        },
    );
}

/// Threads have the handles of what they pushed, and know what each must lead to.
#[test]
fn a_handle_leads_to_its_value_until_it_takes_it_out() {
    fn all(list: &Handles, guard: &Guard) -> Vec<u64> {
        let first = list.chain.first(guard);
        let nodes = std::iter::successors(first, |node| list.chain.after(node, guard));
        let mut seen: Vec<u64> = nodes.map(|node| node.value.read()).collect();
        seen.sort_unstable();
        seen
    }
    fn values(own: &[(u64, RawHandle<Counted>)]) -> Vec<u64> {
        let mut values: Vec<u64> = own.iter().map(|(value, _)| *value).collect();
        values.sort_unstable();
        values
    }
    crowd(
        |domain| Handles::new(Pool::scoped_in(domain)),
        |list, ledger, number, pin| {
            let mut own = Vec::new();
            for next in numbers(number).take(below(12) as usize) {
                let guard = pin();
                match below(6) {
                    0..3 => own.push((next, list.push(ledger.value(next), &guard))),
                    3 if !own.is_empty() => {
                        let (value, handle) = own.swap_remove(below(own.len() as u64) as usize);
                        let taken = list.remove(handle, &guard).ok();
                        assert_eq!(taken.map(|node| node.value.read()), Some(value));
                    }
                    4 => list.sweep(&guard),
                    _ => {
                        for (value, handle) in &own {
                            let found = list.get(handle, &guard);
                            assert_eq!(found.map(|node| node.value.read()), Some(*value));
                        }
                        let mut seen = all(list, &guard);
                        seen.retain(|value| value / 100 == number);
                        assert_eq!(seen, values(&own), "each that is there, once");
                    }
                }
            }
            own
        },
        |list, owned, guard| {
            let left: Vec<_> = owned.into_iter().flatten().collect();
            assert_eq!(all(list, guard), values(&left));
        },
    );
}

/// A list in order, with one writer.
struct Rcu {
    list: RawRcu<Counted, Pool<Node<Counted>>>,
    /// How many of the hundreds are in it: they stay.
    kept: AtomicU64,
}

impl Rcu {
    fn all(&self, guard: &Guard) -> Vec<u64> {
        let first = self.list.first(guard);
        let nodes = std::iter::successors(first, |node| self.list.after(node, guard));
        nodes.map(|node| node.value.read()).collect()
    }

    /// The last node before a value.
    fn before<'g>(&'g self, value: u64, guard: &'g Guard) -> Option<&'g Node<Counted>> {
        let first = self.list.first(guard);
        let nodes = std::iter::successors(first, |node| self.list.after(node, guard));
        nodes.take_while(|node| node.value.read() < value).last()
    }

    /// Writes at random, as the only one; returns what is in the list then.
    fn write(&self, ledger: &Ledger, pin: &dyn Fn() -> Guard) -> BTreeSet<u64> {
        let mut model = BTreeSet::new();
        let mut kept = 0;
        for step in 1..=below(20) {
            let guard = pin();
            // One value at the most behind each hundred.
            let hundred = below(4) * 100;
            let there = model.range(hundred + 1..hundred + 100).next().copied();
            let fresh = hundred + step;
            match (below(4), there) {
                (0, _) => {
                    let prev = self.before(kept * 100, &guard);
                    // SAFETY: we alone write, and it is linked.
                    unsafe { self.list.insert(&guard, prev, ledger.value(kept * 100)) };
                    model.insert(kept * 100);
                    kept += 1;
                    // Release: pairs with the Acquire of the readers.
                    self.kept.store(kept, Release);
                }
                (1, Some(there)) => {
                    let prev = self.before(there, &guard);
                    // SAFETY: as above.
                    let taken = unsafe { self.list.remove(&guard, prev) };
                    assert_eq!(taken.map(|node| node.value.read()), Some(there));
                    model.remove(&there);
                }
                (_, Some(there)) => {
                    let prev = self.before(there, &guard);
                    // SAFETY: as above.
                    let old = unsafe { self.list.replace(&guard, prev, ledger.value(fresh)) };
                    assert_eq!(old.ok().map(|node| node.value.read()), Some(there));
                    model.remove(&there);
                    model.insert(fresh);
                }
                (_, None) => {
                    let prev = self.before(fresh, &guard);
                    // SAFETY: as above.
                    unsafe { self.list.insert(&guard, prev, ledger.value(fresh)) };
                    model.insert(fresh);
                }
            }
        }
        model
    }
}

/// However the writer changes what a reader stands on.
#[test]
fn in_an_rcu_list_readers_find_what_stays_in_its_order() {
    crowd(
        |domain| Rcu {
            list: RawRcu::new(Arc::new(Pool::scoped_in(domain))),
            kept: AtomicU64::new(0),
        },
        |list, ledger, number, pin| {
            if number == 0 {
                return list.write(ledger, pin);
            }
            for _ in 0..below(6) {
                let guard = pin();
                // Acquire: pairs with the Release of the writer.
                let kept = list.kept.load(Acquire);
                let seen = list.all(&guard);
                assert!(seen.is_sorted_by(|a, b| a < b), "{seen:?}");
                let stay = (0..kept).map(|hundred| hundred * 100);
                assert!(
                    stay.eq(seen
                        .iter()
                        .copied()
                        .filter(|v| v % 100 == 0 && v / 100 < kept)),
                    "{seen:?}"
                );
            }
            BTreeSet::new()
        },
        |list, written, guard| {
            let expected = written.into_iter().flatten();
            assert!(list.all(guard).into_iter().eq(expected));
        },
    );
}
