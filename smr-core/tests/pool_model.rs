//! A pool against a model, over random sequences of operations.
//!
//! The model knows which items are live, which are retired, and when each
//! section was entered. It asks after every step: is what a section may see
//! where it was and as it was, was anything dropped twice or too early, does a
//! new item lie where nobody can be, do the statistics agree.
//!
//! `PROPTEST_CASES` sets how much is tried: a quarter of it for each type.

mod support;

use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::SeqCst};

use proptest::prelude::*;
use smr_core::{BarrierKind, Domain, Guard, LocalHandle, OwnedGuard, Pool, PoolBox, WaitError};
use support::LONG;

/// How often the value with each number was dropped.
#[derive(Clone)]
struct Book(Arc<[AtomicU8]>);

const MOST_VALUES: usize = 8192;

impl Book {
    fn new() -> Self {
        Self((0..MOST_VALUES).map(|_| AtomicU8::new(0)).collect())
    }

    fn drops(&self, id: usize) -> u8 {
        self.0[id].load(SeqCst)
    }
}

/// What the pool holds.
trait Item: Send + 'static {
    /// Whether each drop is put down under the value's number.
    const KEEPS_BOOK: bool;

    fn make(id: usize, book: &Book) -> Self;

    /// Whether it is as it was made.
    fn is(&self, id: usize) -> bool;
}

struct Plain([usize; 3]);

impl Item for Plain {
    const KEEPS_BOOK: bool = false;

    fn make(id: usize, _: &Book) -> Self {
        Self([id, !id, id << 7])
    }

    fn is(&self, id: usize) -> bool {
        self.0 == [id, !id, id << 7]
    }
}

struct Small(u8);

impl Item for Small {
    const KEEPS_BOOK: bool = false;

    fn make(id: usize, _: &Book) -> Self {
        Self(id as u8)
    }

    fn is(&self, id: usize) -> bool {
        self.0 == id as u8
    }
}

struct Dropping {
    id: usize,
    owned: Box<usize>,
    book: Book,
}

impl Item for Dropping {
    const KEEPS_BOOK: bool = true;

    fn make(id: usize, book: &Book) -> Self {
        Self {
            id,
            owned: Box::new(!id),
            book: book.clone(),
        }
    }

    fn is(&self, id: usize) -> bool {
        self.id == id && *self.owned == !id
    }
}

impl Drop for Dropping {
    fn drop(&mut self) {
        assert_eq!(*self.owned, !self.id, "dropped in a shape it never had");
        self.book.0[self.id].fetch_add(1, SeqCst);
    }
}

#[repr(align(256))]
struct Aligned(Dropping);

impl Item for Aligned {
    const KEEPS_BOOK: bool = true;

    fn make(id: usize, book: &Book) -> Self {
        Self(Dropping::make(id, book))
    }

    fn is(&self, id: usize) -> bool {
        self.0.is(id)
    }
}

struct Nothing;

impl Item for Nothing {
    const KEEPS_BOOK: bool = false;

    fn make(_: usize, _: &Book) -> Self {
        Self
    }

    fn is(&self, _: usize) -> bool {
        true
    }
}

/// Through whom an item is allocated or retired.
#[derive(Debug, Clone, Copy)]
enum Who {
    Thread,
    Handle(usize),
    Section(usize),
}

#[derive(Debug, Clone, Copy)]
enum Op {
    Alloc(Who),
    /// Many at once, then all of them retired: buckets fill and are sealed.
    Churn(usize, Who),
    Retire(usize, Who),
    Free(usize),
    IntoInner(usize),
    Enter(usize),
    Leave(usize),
    Repin(usize),
    /// Moves the read clock and collects nothing.
    Poll,
    Flush,
    FlushDomain,
    Trim,
    Barrier,
    Reserve(usize),
}

const SECTIONS: usize = 4;

fn who() -> impl Strategy<Value = Who> {
    prop_oneof![
        3 => Just(Who::Thread),
        1 => (0..2_usize).prop_map(Who::Handle),
        2 => (0..SECTIONS).prop_map(Who::Section),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => who().prop_map(Op::Alloc),
        3 => ((1..200_usize), who()).prop_map(|(items, who)| Op::Churn(items, who)),
        8 => (any::<usize>(), who()).prop_map(|(index, who)| Op::Retire(index, who)),
        2 => any::<usize>().prop_map(Op::Free),
        2 => any::<usize>().prop_map(Op::IntoInner),
        3 => (0..SECTIONS).prop_map(Op::Enter),
        3 => (0..SECTIONS).prop_map(Op::Leave),
        1 => (0..SECTIONS).prop_map(Op::Repin),
        3 => Just(Op::Poll),
        1 => Just(Op::Flush),
        1 => Just(Op::FlushDomain),
        1 => Just(Op::Trim),
        2 => Just(Op::Barrier),
        1 => (0..300_usize).prop_map(Op::Reserve),
    ]
}

enum Section {
    Bound(Guard),
    Owned(OwnedGuard),
}

struct Retired<T> {
    item: NonNull<T>,
    id: usize,
    /// When, in steps of the model.
    at: usize,
}

struct Machine<T: Item> {
    book: Book,
    next_id: usize,
    now: usize,
    live: Vec<(NonNull<T>, usize)>,
    retired: Vec<Retired<T>>,
    /// Sections, and since when they protect.
    sections: [Option<(Section, usize)>; SECTIONS],
    handles: [LocalHandle; 2],
    pool: Pool<T>,
    domain: Domain,
}

impl<T: Item> Machine<T> {
    const HAS_SIZE: bool = size_of::<T>() != 0;

    fn new(barrier: BarrierKind, scoped: bool) -> Self {
        let domain = Domain::builder().barrier(barrier).build().unwrap();
        Self {
            book: Book::new(),
            next_id: 0,
            now: 0,
            live: Vec::new(),
            retired: Vec::new(),
            sections: [const { None }; SECTIONS],
            handles: [domain.register(), domain.register()],
            pool: if scoped {
                Pool::scoped_in(&domain)
            } else {
                Pool::new_in(&domain)
            },
            domain,
        }
    }

    fn is_protected(&self, retired: &Retired<T>) -> bool {
        self.sections
            .iter()
            .flatten()
            .any(|(_, since)| *since <= retired.at)
    }

    fn alloc(&mut self, who: Who) {
        if self.next_id == MOST_VALUES {
            return;
        }
        let value = T::make(self.next_id, &self.book);
        let item = match who {
            Who::Thread => self.pool.alloc(value),
            Who::Handle(index) => self.pool.alloc_in(&self.handles[index], value),
            Who::Section(index) => match &self.sections[index] {
                Some((Section::Bound(guard), _)) => self.pool.alloc_in(guard, value),
                Some((Section::Owned(guard), _)) => self.pool.alloc_in(guard, value),
                None => self.pool.alloc(value),
            },
        };
        let item = item.into_raw();
        assert!(item.is_aligned());
        if Self::HAS_SIZE {
            assert!(self.live.iter().all(|(live, _)| *live != item));
            let protected = |retired: &Retired<T>| {
                assert!(retired.item != item || !self.is_protected(retired));
                retired.item != item
            };
            let kept: Vec<bool> = self.retired.iter().map(protected).collect();
            let mut kept = kept.into_iter();
            let book = &self.book;
            self.retired.retain(|retired| {
                let kept = kept.next().unwrap();
                if !kept && T::KEEPS_BOOK {
                    assert_eq!(book.drops(retired.id), 1, "reused before its drop");
                }
                kept
            });
        }
        self.live.push((item, self.next_id));
        self.next_id += 1;
    }

    fn retire(&mut self, index: usize, who: Who) {
        let (item, id) = self.live.swap_remove(index);
        let guard = match who {
            Who::Section(index) => match &self.sections[index] {
                Some((Section::Bound(guard), _)) => Some(guard),
                Some((Section::Owned(guard), _)) => Some(&**guard),
                None => None,
            },
            _ => None,
        };
        match (guard, who) {
            // SAFETY: live, known to the model alone, retired once.
            (Some(guard), _) => unsafe { self.pool.retire_in(guard, item) },
            // SAFETY: as above.
            (None, Who::Handle(index)) => unsafe {
                self.pool.retire_in(&self.handles[index], item)
            },
            // SAFETY: as above.
            _ => unsafe { self.pool.retire(item) },
        }
        let at = self.now;
        self.retired.push(Retired { item, id, at });
    }

    /// Takes a live item back as a box.
    fn unpublish(&mut self, index: usize) -> Option<(PoolBox<'_, T>, usize, &Book)> {
        let index = index.checked_rem(self.live.len())?;
        let (item, id) = self.live.swap_remove(index);
        // SAFETY: from this pool, live, taken back once.
        let item = unsafe { PoolBox::from_raw(&self.pool, item) };
        Some((item, id, &self.book))
    }

    fn step(&mut self, op: Op) {
        self.now += 1;
        match op {
            Op::Alloc(who) => self.alloc(who),
            Op::Churn(items, who) => {
                let before = self.live.len();
                (0..items).for_each(|_| self.alloc(who));
                while self.live.len() > before {
                    self.retire(self.live.len() - 1, who);
                }
            }
            Op::Retire(index, who) => {
                if let Some(index) = index.checked_rem(self.live.len()) {
                    self.retire(index, who);
                }
            }
            Op::Free(index) => {
                if let Some((item, id, book)) = self.unpublish(index) {
                    assert!(item.is(id));
                    drop(item);
                    assert_eq!(book.drops(id), u8::from(T::KEEPS_BOOK));
                }
            }
            Op::IntoInner(index) => {
                if let Some((item, id, book)) = self.unpublish(index) {
                    let value = item.into_inner();
                    assert!(value.is(id) && book.drops(id) == 0);
                }
            }
            Op::Enter(index) => {
                if self.sections[index].is_none() {
                    let section = match index {
                        0 => Section::Bound(self.domain.pin()),
                        1 | 2 => Section::Bound(self.handles[index - 1].pin()),
                        _ => Section::Owned(self.domain.owned_guard()),
                    };
                    self.sections[index] = Some((section, self.now));
                }
            }
            Op::Leave(index) => drop(self.sections[index].take()),
            Op::Repin(index) => {
                if let Some((section, since)) = &mut self.sections[index] {
                    *since = self.now;
                    match section {
                        Section::Bound(guard) => guard.repin(),
                        Section::Owned(guard) => guard.repin(),
                    }
                }
            }
            Op::Poll => {
                let inside = self.sections.iter().any(Option::is_some);
                assert_eq!(self.domain.poll(self.domain.advance()), !inside);
            }
            Op::Flush => self.pool.flush(),
            Op::FlushDomain => self.domain.flush(),
            Op::Trim => {
                let before = self.pool.stats().slab_bytes;
                let given_back = self.pool.trim();
                assert_eq!(self.pool.stats().slab_bytes, before - given_back);
                if self.live.is_empty() && self.sections.iter().all(Option::is_none) {
                    self.check_all_free();
                    self.pool.trim();
                    assert_eq!(self.pool.stats().slab_bytes, 0);
                }
            }
            Op::Barrier => self.barrier(),
            Op::Reserve(items) => {
                self.pool.reserve(items);
                if Self::HAS_SIZE {
                    assert!(self.pool.stats().free_items >= items);
                }
            }
        }
        self.check();
    }

    fn barrier(&mut self) {
        let inside = self.sections[..3].iter().any(Option::is_some);
        match self.pool.try_barrier(if self.sections[3].is_some() {
            std::time::Duration::ZERO
        } else {
            LONG
        }) {
            Ok(()) => self.check_all_free(),
            Err(WaitError::InSection) => assert!(inside),
            Err(WaitError::Timeout) => assert!(self.sections[3].is_some()),
            Err(error) => panic!("{error}"),
        }
    }

    /// After a barrier: nothing waits.
    fn check_all_free(&mut self) {
        self.pool.barrier();
        assert_eq!(self.pool.stats().retired_items, 0);
        for retired in self.retired.drain(..) {
            assert_eq!(self.book.drops(retired.id), u8::from(T::KEEPS_BOOK));
        }
    }

    fn check(&self) {
        for (item, id) in &self.live {
            // SAFETY: live.
            assert!(unsafe { item.as_ref() }.is(*id));
            assert_eq!(self.book.drops(*id), 0);
        }
        let (mut protected, mut undropped) = (0, 0);
        for retired in &self.retired {
            let drops = self.book.drops(retired.id);
            if self.is_protected(retired) {
                assert_eq!(drops, 0, "dropped in front of a reader");
                // SAFETY: a section protects it.
                assert!(unsafe { retired.item.as_ref() }.is(retired.id));
                protected += 1;
            }
            assert!(drops <= 1, "dropped twice");
            undropped += usize::from(drops == 0);
        }
        if !Self::HAS_SIZE {
            return;
        }
        let stats = self.pool.stats();
        assert_eq!(stats.live_items, self.live.len(), "{stats:?}");
        assert!(stats.retired_items >= protected, "{stats:?}");
        if T::KEEPS_BOOK {
            assert_eq!(stats.retired_items, undropped, "{stats:?}");
        } else {
            assert!(stats.retired_items <= self.retired.len(), "{stats:?}");
        }
        assert_eq!(stats.retired_bytes, stats.retired_items * size_of::<T>());
        let items = stats.live_items + stats.retired_items + stats.free_items;
        assert!(stats.slab_bytes >= items * size_of::<T>(), "{stats:?}");
    }

    fn finish(mut self) {
        self.sections = [const { None }; SECTIONS];
        while let Some((item, ..)) = self.unpublish(0) {
            drop(item);
        }
        let (book, ids) = (self.book.clone(), self.next_id);
        // What is retired goes with the pool, without a barrier.
        drop(self);
        let expected = u8::from(T::KEEPS_BOOK);
        assert!((0..ids).all(|id| book.drops(id) == expected));
    }
}

fn run<T: Item>(ops: &[Op], barrier: BarrierKind, scoped: bool) {
    let mut machine = Machine::<T>::new(barrier, scoped);
    ops.iter().for_each(|op| machine.step(*op));
    machine.finish();
}

fn settings() -> impl Strategy<Value = (Vec<Op>, BarrierKind, bool)> {
    let barrier = prop_oneof![Just(BarrierKind::Auto), Just(BarrierKind::Fence)];
    (prop::collection::vec(op(), 1..100), barrier, any::<bool>())
}

fn config() -> ProptestConfig {
    let default = ProptestConfig::default();
    ProptestConfig {
        cases: (default.cases / 4).max(1),
        failure_persistence: None,
        ..default
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn plain_items((ops, barrier, scoped) in settings()) {
        run::<Plain>(&ops, barrier, scoped);
    }

    #[test]
    fn bytes((ops, barrier, scoped) in settings()) {
        run::<Small>(&ops, barrier, scoped);
    }

    #[test]
    fn items_with_destructors((ops, barrier, scoped) in settings()) {
        run::<Dropping>(&ops, barrier, scoped);
    }

    #[test]
    fn over_aligned_items((ops, barrier, scoped) in settings()) {
        run::<Aligned>(&ops, barrier, scoped);
    }

    #[test]
    fn items_without_size((ops, barrier, scoped) in settings()) {
        run::<Nothing>(&ops, barrier, scoped);
    }
}

#[test]
fn items_without_size_are_dropped_as_often_as_they_were_made() {
    use std::cell::Cell;
    thread_local! {
        static DROPS: Cell<usize> = const { Cell::new(0) };
    }
    struct Unit;
    impl Drop for Unit {
        fn drop(&mut self) {
            DROPS.set(DROPS.get() + 1);
        }
    }
    for kind in [BarrierKind::Auto, BarrierKind::Fence] {
        DROPS.set(0);
        let domain = Domain::builder().barrier(kind).build().unwrap();
        let pool = Pool::new_in(&domain);
        for _ in 0..1000 {
            let item = pool.alloc(Unit).into_raw();
            // SAFETY: never published, retired once.
            unsafe { pool.retire(item) };
            drop(pool.alloc(Unit));
        }
        pool.barrier();
        assert_eq!(DROPS.get(), 2000);
    }
}
