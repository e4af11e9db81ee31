//! Whose ordered maps from integers are compared: one small adapter a file.
//!
//! Every tree goes from `u64` to `u64`. [`Tree`] is what a reader needs, so that
//! trees without threads can show the limit; [`Shared`] adds what writers do. As
//! with the reclaiming subjects, no call in a measured loop is dynamic.
//!
//! An operation is the tree's plainest call for it, with whatever that call needs: a
//! pin, a guard, a lock, for each anew. Values have at most 48 bits, which every tree
//! can keep beside its keys.

use std::ops::Range;

use super::Subject;

pub(crate) mod congee;
pub(crate) mod locks;
pub(crate) mod masstree;
pub(crate) mod plain;
pub(crate) mod scc;
pub(crate) mod skiplist;
pub(crate) mod smr;

/// An ordered map that threads read together.
pub(crate) trait Tree: Subject + Sync + Sized + 'static {
    /// An empty one.
    fn new() -> Self;
    /// Inserts or replaces while nobody else is there.
    fn put(&mut self, key: u64, value: u64);
    /// Looks one key up.
    fn get(&self, key: u64) -> Option<u64>;
    /// The first entry at or after a key.
    fn at_or_after(&self, key: u64) -> Option<(u64, u64)>;
    /// Visits all entries in order.
    fn visit(&self, each: impl FnMut(u64, u64));
    /// Frees what the reclamation still holds. The tree is gone, or nobody is in it.
    fn settle() {}
}

/// An ordered map that threads write as well.
pub(crate) trait Shared: Tree {
    /// Whether it loses nothing, and says exactly what it inserted and removed.
    const COUNTED: bool = true;

    /// Inserts; where the key is there, its value is replaced or left. Whether the
    /// key is new.
    fn insert(&self, key: u64, value: u64) -> bool;
    /// Removes; whether the key was there.
    fn remove(&self, key: u64) -> bool;
    /// Removes a range of keys; how many there were.
    fn remove_range(&self, keys: Range<u64>) -> u64 {
        let (mut next, mut removed) = (keys.start, 0);
        while let Some((key, _)) = self.at_or_after(next)
            && key < keys.end
        {
            removed += u64::from(self.remove(key));
            next = key + 1;
        }
        removed
    }
}

#[cfg(test)]
pub(crate) mod testing {
    //! What every adapter must pass.

    use super::*;

    fn visited<T: Tree>(tree: &T) -> Vec<(u64, u64)> {
        let mut all = Vec::new();
        tree.visit(|key, value| all.push((key, value)));
        all
    }

    /// The read side tells what was put in.
    pub(crate) fn reads_what_was_put<T: Tree>() {
        let mut tree = T::new();
        let nothing = (tree.get(1), tree.at_or_after(0), visited(&tree));
        assert_eq!(nothing, (None, None, vec![]), "{}", T::NAME);
        // Neighbours, far ones, and more than a node of any of them has room for.
        let far = [1 << 20, (1 << 40) + 7, u64::MAX - 1];
        let keys: Vec<u64> = (0..3000).map(|at| 3 * at).chain(far).collect();
        for at in 0..keys.len() {
            let key = keys[at * 5 % keys.len()];
            tree.put(key, key >> 16);
        }
        tree.put(3, 77);
        let expected: Vec<(u64, u64)> = keys
            .iter()
            .map(|&key| (key, if key == 3 { 77 } else { key >> 16 }))
            .collect();
        assert_eq!(visited(&tree), expected, "{}", T::NAME);
        assert_eq!((tree.get(3), tree.get(4)), (Some(77), None), "{}", T::NAME);
        for (key, found) in [
            (0, 0),
            (4, 6),
            (8998, 1 << 20),
            ((1 << 40) + 7, (1 << 40) + 7),
        ] {
            let entry = tree.at_or_after(key).expect("there are larger ones");
            assert_eq!(entry.0, found, "{}: at or after {key}", T::NAME);
            assert_eq!(
                entry.1,
                if found == 3 { 77 } else { found >> 16 },
                "{}",
                T::NAME
            );
        }
        assert_eq!(tree.at_or_after(u64::MAX), None, "{}", T::NAME);
    }

    /// The write side says rightly whether a key was there.
    pub(crate) fn writes_as_told<T: Shared>() {
        reads_what_was_put::<T>();
        let tree = T::new();
        assert!(!tree.remove(1), "{}", T::NAME);
        for key in 0..1000 {
            assert!(tree.insert(key, key), "{}", T::NAME);
        }
        assert!(!tree.insert(5, 5), "{}", T::NAME);
        assert!(tree.remove(5), "{}", T::NAME);
        assert!(!tree.remove(5), "{}", T::NAME);
        assert_eq!(tree.get(5), None, "{}", T::NAME);
        assert_eq!(tree.remove_range(3..990), 986, "{}", T::NAME);
        assert_eq!(tree.remove_range(3..990), 0, "{}", T::NAME);
        let left: Vec<u64> = visited(&tree).into_iter().map(|(key, _)| key).collect();
        let expected: Vec<u64> = (0..3).chain(990..1000).collect();
        assert_eq!(left, expected, "{}", T::NAME);
    }
}
