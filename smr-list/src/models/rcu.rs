//! The RCU list: a reader against the writer.

use loom::sync::Arc;
use smr_core::Guard;

use super::support::{Item, Reached, Sections, Shelves, explore, spawn};
use crate::raw::node::Node;
use crate::raw::rcu::RawRcu;

type List = RawRcu<Item, Shelves<Node<Item>>>;

fn all(list: &List, guard: &Guard) -> Vec<u32> {
    let mut seen = Vec::new();
    let mut at = list.first(guard);
    while let Some(node) = at {
        seen.push(node.value.read());
        at = list.after(node, guard);
    }
    seen
}

fn push_back(list: &List, guard: &Guard, number: u32) {
    let last = list.last(guard);
    // SAFETY: the model has one writer, and the last node is linked.
    unsafe { list.insert(guard, last, Item::new(number)) };
}

#[test]
fn a_reader_goes_on_from_a_removed_node() {
    static BOTH: Reached = Reached::new("the removed element is seen");
    static ONE: Reached = Reached::new("the removed element is not seen");
    explore(2, || {
        let domain = Sections::default();
        let list = Arc::new(List::new(std::sync::Arc::new(Shelves::new(&domain))));
        push_back(&list, &domain.pin(), 1);
        push_back(&list, &domain.pin(), 2);
        let other = Arc::clone(&list);
        let reader = spawn(&domain, move |pin| {
            let seen = all(&other, &pin());
            BOTH.hit_if(seen.first() == Some(&1));
            ONE.hit_if(seen.first() == Some(&2));
            assert!(seen.contains(&2), "it is there throughout");
        });
        // SAFETY: the model has one writer.
        unsafe { list.remove(&domain.pin(), None) };
        push_back(&list, &domain.pin(), 3);
        reader.join().unwrap();
    });
    BOTH.check();
    ONE.check();
}

#[test]
fn a_splice_is_one_step() {
    static BEFORE: Reached = Reached::new("nothing of the splice is seen");
    static AFTER: Reached = Reached::new("all of the splice is seen");
    explore(2, || {
        let domain = Sections::default();
        let memory = std::sync::Arc::new(Shelves::new(&domain));
        let list = Arc::new(List::new(std::sync::Arc::clone(&memory)));
        push_back(&list, &domain.pin(), 1);
        let other = Arc::clone(&list);
        let reader = spawn(&domain, move |pin| {
            let seen = all(&other, &pin());
            BEFORE.hit_if(seen == [1]);
            AFTER.hit_if(seen == [2, 3, 1]);
            assert!(seen == [1] || seen == [2, 3, 1], "{seen:?}");
        });
        let mut more = List::new(memory);
        push_back(&more, &domain.pin(), 2);
        push_back(&more, &domain.pin(), 3);
        // SAFETY: the model has one writer, and the memory is the same.
        unsafe { list.splice(None, &mut more) };
        reader.join().unwrap();
    });
    BEFORE.check();
    AFTER.check();
}

/// Who has passed the front misses what is moved there, and who comes between the two
/// steps meets it twice.
#[test]
fn a_move_to_the_front_is_two_steps() {
    static NONE: Reached = Reached::new("the moved element is not seen");
    static ONCE: Reached = Reached::new("the moved element is seen at the front alone");
    static TWICE: Reached = Reached::new("the moved element is seen twice");
    explore(2, || {
        let domain = Sections::default();
        let list = Arc::new(List::new(std::sync::Arc::new(Shelves::new(&domain))));
        for number in 1..=3 {
            push_back(&list, &domain.pin(), number);
        }
        let other = Arc::clone(&list);
        let reader = spawn(&domain, move |pin| {
            let seen = all(&other, &pin());
            NONE.hit_if(seen == [1, 3]);
            ONCE.hit_if(seen == [2, 1, 3]);
            TWICE.hit_if(seen == [2, 1, 2, 3]);
            let others = seen.iter().filter(|number| **number != 2);
            assert!(others.eq(&[1, 3]), "{seen:?}");
            assert!(seen.len() <= 4, "{seen:?}");
        });
        let guard = domain.pin();
        let one = list.first(&guard).expect("there are three");
        // SAFETY: the model has one writer, and the first node is linked.
        unsafe { list.move_to_front(&guard, one, Item::new(2)) };
        drop(guard);
        reader.join().unwrap();
        assert_eq!(all(&list, &domain.pin()), [2, 1, 3]);
    });
    NONE.check();
    ONCE.check();
    TWICE.check();
}
