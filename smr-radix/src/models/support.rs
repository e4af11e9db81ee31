//! Memory for models, which overwrites leaves and nodes as soon as it may.

use std::ptr::NonNull;
use std::sync::Mutex;

use loom::sync::Arc;
use smr_core::Guard;
pub(super) use smr_core::sync::model::{Number as Item, Reached, Section, explore};
use smr_core::sync::{model::Sections, mutant};

use crate::raw::{
    Action, Batch, Boxed, Done, Draft, Full, Inline, Large, Leaf, Memory, Middle, NodeRef, Policy,
    Raw, Shape, Small, Walk,
};

/// What the values of models are.
pub(super) trait Shown {
    fn new(number: u32) -> Self;

    fn number(&self) -> u32;

    /// Overwrites it, as reuse would. Its memory stays to the end of the execution.
    fn reclaim(&self);
}

impl Shown for Item {
    fn new(number: u32) -> Self {
        Self::new(number)
    }

    #[track_caller]
    fn number(&self) -> u32 {
        self.read()
    }

    #[track_caller]
    fn reclaim(&self) {
        self.reclaim();
    }
}

impl Shown for u64 {
    fn new(number: u32) -> Self {
        number.into()
    }

    fn number(&self) -> u32 {
        u32::try_from(*self).unwrap()
    }

    fn reclaim(&self) {}
}

/// Leaves and nodes by their addresses.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Leaf(usize),
    Node(usize),
}

/// A leaf or a node.
struct Thing<V> {
    place: Place,
    memory: Kind<V>,
    /// The sections that were open when it was retired.
    retired: Option<u64>,
    is_reclaimed: bool,
}

enum Kind<V> {
    Leaf(NonNull<Leaf<V>>),
    Small(Box<Small>),
    Middle(Box<Middle>),
    Large(Box<Large>),
    Full(Box<Full>),
}

impl<V> Kind<V> {
    fn address(&self) -> *mut () {
        match self {
            Self::Leaf(leaf) => leaf.as_ptr().cast(),
            Self::Small(node) => (&raw const **node).cast_mut().cast(),
            Self::Middle(node) => (&raw const **node).cast_mut().cast(),
            Self::Large(node) => (&raw const **node).cast_mut().cast(),
            Self::Full(node) => (&raw const **node).cast_mut().cast(),
        }
    }
}

/// The memory. It stays allocated until the execution ends: loom's own objects must.
pub(super) struct Shelves<V: Shown> {
    sections: Sections,
    things: Mutex<Vec<Thing<V>>>,
}

// SAFETY: the things are behind the lock, or in the tree.
unsafe impl<V: Shown> Send for Shelves<V> {}
// SAFETY: as above.
unsafe impl<V: Shown> Sync for Shelves<V> {}

impl<V: Shown> Shelves<V> {
    fn new() -> Self {
        Self {
            sections: Sections::default(),
            things: Mutex::new(Vec::new()),
        }
    }

    pub(super) fn pin(&self) -> Section {
        self.sections.pin()
    }

    fn add(&self, memory: Kind<V>, place: fn(usize) -> Place) -> *mut () {
        let at = memory.address();
        self.things.lock().unwrap().push(Thing {
            place: place(at.addr()),
            memory,
            retired: None,
            is_reclaimed: false,
        });
        at
    }

    fn retire(&self, place: Place) {
        let held = self.sections.now();
        let mut things = self.things.lock().unwrap();
        let thing = things.iter_mut().find(|thing| thing.place == place);
        let thing = thing.expect("it came from here");
        assert!(thing.retired.is_none(), "retired twice");
        thing.retired = Some(held);
        drop(things);
        self.collect();
    }

    /// Reclaims what no section holds up.
    pub(super) fn collect(&self) {
        let open = self.sections.now();
        let all = mutant("radix_reclaim_at_once");
        let mut over = Vec::new();
        for thing in self.things.lock().unwrap().iter_mut() {
            let may = thing.retired.is_some_and(|held| all || held & open == 0);
            if may && !thing.is_reclaimed {
                thing.is_reclaimed = true;
                over.push((thing.place, thing.memory.address()));
            }
        }
        for (place, at) in over {
            match place {
                Place::Leaf(_) => {
                    let leaf = at.cast::<Leaf<V>>();
                    // SAFETY: it stays allocated.
                    unsafe { &(*leaf).value }.reclaim();
                }
                // SAFETY: as above.
                Place::Node(_) => unsafe { NodeRef::new(at) }.end(),
            }
        }
    }

    /// Whether some node was overwritten already.
    pub(super) fn reused(&self) -> bool {
        let things = self.things.lock().unwrap();
        let mut nodes = things.iter().filter(|t| matches!(t.place, Place::Node(_)));
        nodes.any(|thing| thing.is_reclaimed)
    }

    /// The node at an address.
    pub(super) fn node_at(&self, at: usize) -> NodeRef<'_> {
        let things = self.things.lock().unwrap();
        let thing = things.iter().find(|thing| thing.place == Place::Node(at));
        // SAFETY: it stays allocated.
        unsafe { NodeRef::new(thing.expect("it came from here").memory.address()) }
    }

    /// Nodes that are in use.
    pub(super) fn nodes(&self) -> usize {
        let things = self.things.lock().unwrap();
        let nodes = things.iter().filter(|t| matches!(t.place, Place::Node(_)));
        nodes.filter(|thing| thing.retired.is_none()).count()
    }
}

impl<V: Shown> Memory<V> for Shelves<V> {
    type LeafRoom = ();
    type NodeRoom = ();

    fn leaf_room(&self, _guard: &Guard) -> Option<()> {
        Some(())
    }

    fn node_room(&self, _guard: &Guard, _node: NodeRef<'_>) -> Option<()> {
        Some(())
    }

    fn leaf(&self, key: u64, value: V) -> Result<NonNull<Leaf<V>>, V> {
        let leaf = Box::into_raw(Box::new(Leaf::new(key, value)));
        let leaf = NonNull::new(leaf).unwrap();
        self.add(Kind::Leaf(leaf), Place::Leaf);
        Ok(leaf)
    }

    unsafe fn take_leaf(&self, leaf: NonNull<Leaf<V>>) -> V {
        let mut things = self.things.lock().unwrap();
        let place = Place::Leaf(leaf.as_ptr().addr());
        let at = things.iter().position(|thing| thing.place == place);
        let thing = things.swap_remove(at.expect("it came from here, and is taken once"));
        assert!(thing.retired.is_none(), "taken and retired");
        // SAFETY: made by `leaf`, and the caller's promise.
        unsafe { Box::from_raw(leaf.as_ptr()) }.value
    }

    unsafe fn retire_leaf(&self, _guard: &Guard, leaf: NonNull<Leaf<V>>, _room: Option<()>) {
        self.retire(Place::Leaf(leaf.as_ptr().addr()));
    }

    fn node(&self, draft: &Draft<'_>) -> Option<NodeRef<'_>> {
        let memory = match draft.shape() {
            Shape::Small => Kind::Small(Box::new(draft.build())),
            Shape::Middle => Kind::Middle(Box::new(draft.build())),
            Shape::Large => Kind::Large(Box::new(draft.build())),
            Shape::Full => Kind::Full(Box::new(draft.build())),
        };
        let at = self.add(memory, Place::Node);
        // SAFETY: it stays allocated.
        Some(unsafe { NodeRef::new(at) })
    }

    unsafe fn give_back(&self, node: NodeRef<'_>) {
        self.retire(Place::Node(node.as_ptr().addr()));
    }

    unsafe fn retire_node(&self, _guard: &Guard, node: NodeRef<'_>, (): ()) {
        self.retire(Place::Node(node.as_ptr().addr()));
    }

    fn count(&self, _by: isize) {}
}

impl<V: Shown> Drop for Shelves<V> {
    fn drop(&mut self) {
        for thing in self.things.lock().unwrap().drain(..) {
            if let Kind::Leaf(leaf) = thing.memory {
                // SAFETY: made by `leaf`; the model is over.
                drop(unsafe { Box::from_raw(leaf.as_ptr()) });
            }
        }
    }
}

/// A tree of a model.
pub(super) type Tree<P> = Raw<P, Shelves<<P as Policy>::Value>>;
pub(super) type Items = Tree<Boxed<Item>>;
pub(super) type Numbers = Tree<Inline<u64>>;

pub(super) fn tree<P: Policy>(keys: &[u64]) -> Arc<Tree<P>>
where
    P::Value: Shown,
{
    let tree = Raw::over(Shelves::new());
    for key in keys {
        assert_eq!(put(&tree, *key, 10), None);
    }
    Arc::new(tree)
}

fn number<P: Policy>(value: P::Val<'_>) -> u32
where
    P::Value: Shown,
{
    std::borrow::Borrow::<P::Value>::borrow(&value).number()
}

/// Puts a number; the one before.
#[track_caller]
pub(super) fn put<P: Policy>(tree: &Tree<P>, key: u64, new: u32) -> Option<u32>
where
    P::Value: Shown,
{
    let guard = tree.memory.pin();
    let done = tree.edit(key, &guard, |_, spare| {
        Action::<_, ()>::Put(spare.unwrap_or_else(|| Shown::new(new)))
    });
    match done {
        Ok(Done::Inserted(value)) => {
            assert_eq!(number::<P>(value), new);
            None
        }
        Ok(Done::Updated { old, .. }) => Some(number::<P>(old)),
        _ => unreachable!("memory is there, and it is always put"),
    }
}

/// Puts numbers one after the other, in one section; how many keys are new.
#[track_caller]
pub(super) fn put_all<P: Policy>(tree: &Tree<P>, entries: &[(u64, u32)]) -> usize
where
    P::Value: Shown,
{
    let guard = tree.memory.pin();
    let mut batch = Batch::new(tree, &guard);
    let put = |(key, number): &(u64, u32)| {
        let done = batch.put(*key, Shown::new(*number));
        done.unwrap_or_else(|_| unreachable!("memory is there"))
    };
    entries.iter().map(put).filter(|is_new| *is_new).count()
}

/// Removes a key; its number.
#[track_caller]
pub(super) fn remove<P: Policy>(tree: &Tree<P>, key: u64) -> Option<u32>
where
    P::Value: Shown,
{
    let guard = tree.memory.pin();
    let done = tree.edit(key, &guard, |current, _| match current {
        Some(_) => Action::Remove,
        None => Action::Abort(()),
    });
    match done {
        Ok(Done::Removed(old)) => Some(number::<P>(old)),
        _ => None,
    }
}

#[track_caller]
pub(super) fn find<P: Policy>(tree: &Tree<P>, key: u64) -> Option<u32>
where
    P::Value: Shown,
{
    let guard = tree.memory.pin();
    tree.find(key, &guard).map(number::<P>)
}

/// The keys of a walk from one end to the other.
#[track_caller]
pub(super) fn walk<P: Policy>(tree: &Tree<P>, mark: Option<u8>) -> Vec<u64>
where
    P::Value: Shown,
{
    let guard = tree.memory.pin();
    let mut walk = Walk::new(tree, &guard, mark);
    let first = walk.seek_ge(0);
    let items = std::iter::successors(first, |_| walk.next());
    let seen = items.map(|item| {
        number::<P>(item.value);
        item.key
    });
    let seen: Vec<u64> = seen.collect();
    assert!(seen.is_sorted_by(|one, next| one < next), "out of order");
    seen
}

/// Plays two threads on a tree; then nobody else is there, and `end` looks at it.
#[track_caller]
pub(super) fn play<P, A, B>(
    tree: Arc<Tree<P>>,
    one: impl FnOnce(&Tree<P>) -> A + Send + 'static,
    two: impl FnOnce(&Tree<P>) -> B,
    end: impl FnOnce(&Tree<P>, A, B),
) where
    P: Policy + 'static,
    P::Value: Shown + Send,
    A: Send + 'static,
{
    let other = Arc::clone(&tree);
    let thread = loom::thread::spawn(move || one(&other));
    let two = two(&tree);
    let one = thread.join().unwrap();
    end(&tree, one, two);
    check(&tree);
}

/// As [`play`], with three threads.
#[track_caller]
pub(super) fn play_three<P, A, B, C>(
    tree: Arc<Tree<P>>,
    one: impl FnOnce(&Tree<P>) -> A + Send + 'static,
    two: impl FnOnce(&Tree<P>) -> B + Send + 'static,
    three: impl FnOnce(&Tree<P>) -> C,
    end: impl FnOnce(&Tree<P>, A, B, C),
) where
    P: Policy + 'static,
    P::Value: Shown + Send,
    A: Send + 'static,
    B: Send + 'static,
{
    let (first, second) = (Arc::clone(&tree), Arc::clone(&tree));
    let first = loom::thread::spawn(move || one(&first));
    let second = loom::thread::spawn(move || two(&second));
    let three = three(&tree);
    let (one, two) = (first.join().unwrap(), second.join().unwrap());
    end(&tree, one, two, three);
    check(&tree);
}

/// What holds of every tree that is left alone.
#[track_caller]
fn check<P: Policy>(tree: &Tree<P>)
where
    P::Value: Shown,
{
    for key in walk(tree, None) {
        assert!(find(tree, key).is_some(), "what is met is found");
    }
    tree.memory.collect();
}
