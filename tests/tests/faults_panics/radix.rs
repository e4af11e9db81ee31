//! The radix tree.

use smr_radix::{Mark, RadixTree};

use super::*;

type Radix = RadixTree<u32, Value>;

/// Keys that are far from each other, so that there are nodes to be removed.
fn far(n: u32) -> u32 {
    n.rotate_right(5)
}

impl Burnt for Radix {
    fn full(domain: &Domain) -> Self {
        let tree = RadixTree::new_in(domain);
        let guard = tree.guard();
        (0..VALUES + 3).for_each(|n| assert!(tree.insert(far(n), value(n), &guard).is_none()));
        (VALUES..VALUES + 3).for_each(|n| assert!(tree.remove(far(n), &guard).is_some()));
        drop(guard);
        tree
    }

    fn values(&self) -> Vec<u32> {
        let guard = self.guard();
        let found: Vec<_> = self.iter(&guard).collect();
        assert!(found.is_sorted_by(|a, b| a.0 < b.0));
        assert_eq!(self.len(), found.len());
        for (key, value) in &found {
            assert_eq!(self.get(*key, &guard).map(|value| value.0), Some(value.0));
            assert!(far(value.0 % 1000) == *key);
        }
        found.iter().map(|(_, value)| value.0 % 1000).collect()
    }

    fn add(&self, n: u32) {
        assert!(self.insert(far(n), value(n), &self.guard()).is_none());
    }

    fn empty(&self) -> usize {
        let guard = self.guard();
        std::iter::from_fn(|| self.remove(self.first(&guard)?.0, &guard).map(|_| ())).count()
    }

    fn flush(&self) {
        self.flush();
    }
}

burns! {
    radix_insert: Radix, |tree| {
        tree.insert(far(20), value(20), &tree.guard());
        tree.insert(far(20), value(1020), &tree.guard());
        tree.flush();
    }, all_and(20);
    radix_replace: Radix, |tree| {
        tree.insert(far(3), value(1003), &tree.guard());
        _ = tree.replace(far(4), value(1004), &tree.guard());
        tree.flush();
    }, all_and(0);
    radix_try_insert: Radix, |tree| {
        let guard = tree.guard();
        _ = tree.try_insert(far(3), value(3), &guard);
        _ = tree.try_insert(far(20), value(20), &guard);
    }, all_and(20);
    radix_try_insert_alloc: Radix, |tree| {
        _ = tree.try_insert_alloc(far(20), value(20), &tree.guard());
        _ = tree.try_insert_alloc(far(3), value(1003), &tree.guard());
        tree.flush();
    }, all_and(20);
    radix_get_or_insert_with: Radix, |tree| {
        let guard = tree.guard();
        tree.get_or_insert_with(far(20), || { burn(); value(20) }, &guard);
    }, all_and(20);
    radix_compare_exchange: Radix, |tree| {
        let guard = tree.guard();
        let seen = tree.get(far(3), &guard).expect("it is there");
        _ = tree.compare_exchange(far(3), seen, value(1003), &guard);
        _ = tree.compare_exchange(far(3), seen, value(2003), &guard);
    }, all_and(0);
    radix_update: Radix, |tree| {
        tree.update(far(3), |old| { burn(); value(old.0 + 1000) }, &tree.guard());
        tree.flush();
    }, all_and(0);
    radix_compute: Radix, |tree| {
        let toggle = |old: Option<&Value>| {
            burn();
            old.map_or(smr_radix::Change::Put(value(20)), |_| smr_radix::Change::Remove)
        };
        tree.compute(far(20), toggle, &tree.guard());
        tree.compute(far(3), toggle, &tree.guard());
    }, |found| all_and(20)(found) || all_but(3)(&found[..found.len() - 1]) && found.ends_with(&[20]);
    radix_remove: Radix, |tree| {
        tree.remove(far(3), &tree.guard());
        tree.flush();
    }, all_but(3);
    radix_remove_if: Radix, |tree| {
        tree.remove_if(far(3), |value| { burn(); value.0 == 3 }, &tree.guard());
    }, all_but(3);
    radix_retain: Radix, |tree| {
        tree.retain(|_, value| { burn(); value.0 % 2 == 0 }, &tree.guard());
    }, |found| some(found) && (0..VALUES).step_by(2).all(|n| found.contains(&n));
    radix_remove_range: Radix, |tree| {
        tree.remove_range(.., &tree.guard());
        tree.flush();
    }, some;
    radix_drain: Radix, |tree| tree.drain().take(2).for_each(|_| burn()), <[_]>::is_empty;
    radix_clone_and_compare: Radix, |tree| {
        tree.set_mark(far(3), Mark::B, &tree.guard());
        assert!(tree.clone() == *tree);
    }, all_and(0);
    radix_extend: Radix, |tree| {
        tree.extend((5..11).map(|n| { burn(); (far(n), value(n)) }));
    }, all_and(10);
    radix_insert_batch: Radix, |tree| {
        let entries = (5..11).map(|n| { burn(); (far(n), value(n)) });
        tree.insert_batch(entries, &tree.guard());
    }, all_and(10);
}

owned! {
    radix_drop: Radix, drop;
    radix_into_iter: Radix, |tree| tree.into_iter().for_each(|_| burn());
    radix_some_of_into_iter: Radix, |tree| drop(tree.into_iter().next());
}
