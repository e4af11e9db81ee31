//! [`Stack`]: last in, first out.

use core::fmt;

use smr_core::{Domain, Guard, Pool};

use crate::entry::{check, common};
use crate::raw::chain::Chain;
use crate::raw::node::Node;
use crate::raw::stack::All;

/// A lock-free stack (Treiber's).
///
/// A value that is popped may still be seen by those who peeked at it, so popping
/// returns a reference, good as long as the guard. [`pop_cloned`](Self::pop_cloned)
/// copies it out; the owner of the stack takes values out ([`pop_mut`](Self::pop_mut),
/// `into_iter`).
///
/// Push and pop are lock-free, O(1), and linearize at their exchange of the head, a
/// pop that finds nothing at its load of the head. Peeking is wait-free.
///
/// ```
/// let stack = smr_list::Stack::new();
/// let guard = stack.guard();
/// stack.push(1, &guard);
/// stack.push(2, &guard);
/// assert_eq!(stack.pop(&guard), Some(&2));
/// assert_eq!(stack.peek(&guard), Some(&1));
/// ```
pub struct Stack<T> {
    chain: Chain<T, Pool<Node<T>>>,
}

impl<T> Stack<T> {
    /// An empty stack under the global domain. It owns no heap.
    ///
    /// ```
    /// static SPARE: smr_list::Stack<u32> = smr_list::Stack::new();
    /// SPARE.push(7, &SPARE.guard());
    /// assert_eq!(SPARE.pop_cloned(), Some(7));
    /// ```
    #[must_use]
    pub const fn new() -> Self {
        Self {
            chain: Chain::new(Pool::scoped()),
        }
    }

    /// An empty stack under the given domain.
    #[must_use]
    pub fn new_in(domain: &Domain) -> Self {
        Self {
            chain: Chain::new(Pool::scoped_in(domain)),
        }
    }

    fn pool(&self) -> &Pool<Node<T>> {
        &self.chain.memory
    }

    common!(T);

    /// Whether there is nothing to pop. Wait-free.
    pub fn is_empty(&self) -> bool {
        self.chain.head.peek().node().is_none()
    }

    /// Puts a value on top.
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain, or a destructor that runs on the
    /// occasion panics; the value is dropped then.
    #[track_caller]
    #[inline(always)]
    pub fn push(&self, value: T, guard: &Guard) {
        check(guard, self.pool());
        self.chain.push(value, guard);
    }

    /// Takes the top value off.
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain, or a destructor that runs on the
    /// occasion panics.
    #[track_caller]
    #[inline(always)]
    pub fn pop<'g>(&'g self, guard: &'g Guard) -> Option<&'g T> {
        check(guard, self.pool());
        self.chain.pop(guard).map(|node| &node.value)
    }

    /// Takes the top value off, and returns a clone of it. In a section of its own.
    ///
    /// # Panics
    ///
    /// As [`pop`](Self::pop), and if `T::clone` does; the value is off then.
    pub fn pop_cloned(&self) -> Option<T>
    where
        T: Clone,
    {
        self.pop(&self.guard()).cloned()
    }

    /// The top value.
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain.
    #[track_caller]
    pub fn peek<'g>(&'g self, guard: &'g Guard) -> Option<&'g T> {
        self.iter(guard).next()
    }

    /// Iterates from the top, over what was there when it began.
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain.
    #[track_caller]
    pub fn iter<'g>(&'g self, guard: &'g Guard) -> Iter<'g, T> {
        check(guard, self.pool());
        Iter {
            list: &self.chain,
            at: self.chain.live(self.chain.head.walk(), guard),
            guard,
        }
    }

    /// Takes all values off in one step, and iterates over them.
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain.
    ///
    /// ```
    /// let stack = smr_list::Stack::from_iter([1, 2]);
    /// let guard = stack.guard();
    /// assert!(stack.drain(&guard).eq(&[2, 1]));
    /// assert!(stack.is_empty());
    /// ```
    #[track_caller]
    pub fn drain<'g>(&'g self, guard: &'g Guard) -> Drain<'g, T> {
        check(guard, self.pool());
        Drain(self.chain.pop_all(guard))
    }

    /// Takes all values off in one step.
    ///
    /// # Panics
    ///
    /// If the guard is one of another domain, or a destructor that runs on the
    /// occasion panics; all are off then.
    #[track_caller]
    pub fn clear(&self, guard: &Guard) {
        drop(self.drain(guard));
    }

    /// Takes the top value out.
    pub fn pop_mut(&mut self) -> Option<T> {
        self.chain.pop_mut()
    }
}

/// An iterator over a [`Stack`] or a [`List`](crate::List).
pub struct Iter<'g, T> {
    pub(crate) list: &'g Chain<T, Pool<Node<T>>>,
    pub(crate) at: Option<&'g Node<T>>,
    pub(crate) guard: &'g Guard,
}

impl<'g, T> Iterator for Iter<'g, T> {
    type Item = &'g T;

    fn next(&mut self) -> Option<&'g T> {
        let node = self.at?;
        self.at = self.list.after(node, self.guard);
        Some(&node.value)
    }
}

impl<T> core::iter::FusedIterator for Iter<'_, T> {}

impl<T> Clone for Iter<'_, T> {
    fn clone(&self) -> Self {
        Self { ..*self }
    }
}

impl<T> fmt::Debug for Iter<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iter").finish_non_exhaustive()
    }
}

/// What was drained from a [`Stack`].
pub struct Drain<'g, T>(All<'g, T, Pool<Node<T>>>);

impl<'g, T> Iterator for Drain<'g, T> {
    type Item = &'g T;

    fn next(&mut self) -> Option<&'g T> {
        self.0.next().map(|node| &node.value)
    }
}

impl<T> core::iter::FusedIterator for Drain<'_, T> {}

impl<T> fmt::Debug for Drain<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drain").finish_non_exhaustive()
    }
}

/// Implements what collections have for a type with `new`, `iter` and `pop_mut`.
macro_rules! collection {
    ($name:ident) => {
        impl<T> Default for $name<T> {
            fn default() -> Self {
                Self::new()
            }
        }

        impl<T: core::fmt::Debug> core::fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.debug_list().entries(self.iter(&self.guard())).finish()
            }
        }

        impl<T> FromIterator<T> for $name<T> {
            fn from_iter<I: IntoIterator<Item = T>>(iter: I) -> Self {
                let mut list = Self::new();
                list.extend(iter);
                list
            }
        }

        impl<T, const N: usize> From<[T; N]> for $name<T> {
            fn from(values: [T; N]) -> Self {
                values.into_iter().collect()
            }
        }

        impl<T> IntoIterator for $name<T> {
            type Item = T;
            type IntoIter = IntoIter<T>;

            fn into_iter(self) -> IntoIter<T> {
                IntoIter(self)
            }
        }

        /// The elements, by value.
        pub struct IntoIter<T>($name<T>);

        impl<T> Iterator for IntoIter<T> {
            type Item = T;

            fn next(&mut self) -> Option<T> {
                self.0.pop_mut()
            }
        }

        impl<T> core::iter::FusedIterator for IntoIter<T> {}

        impl<T> core::fmt::Debug for IntoIter<T> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.debug_struct("IntoIter").finish_non_exhaustive()
            }
        }
    };
}
pub(crate) use collection;

collection!(Stack);

impl<T> Extend<T> for Stack<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, iter: I) {
        for value in iter {
            self.push(value, &self.guard());
        }
    }
}

impl<T: Clone> Clone for Stack<T> {
    fn clone(&self) -> Self {
        let new = Self::new_in(self.domain());
        let guard = self.guard();
        let mut last = None;
        for value in self.iter(&guard) {
            last = Some(new.chain.push_behind(last, value.clone(), &guard));
        }
        new
    }
}
