//! What the faces share.

use smr_core::{Guard, Pool, PoolStats};

#[inline]
#[track_caller]
pub(crate) fn check<X>(guard: &Guard, pool: &Pool<X>) {
    assert!(
        pool.is_protected_by(guard),
        "the guard does not protect the domain of this list"
    );
}

/// The figures of a pool, with the bytes of another beside it.
pub(crate) fn with_bytes_of(mut stats: PoolStats, beside: PoolStats) -> PoolStats {
    stats.slabs += beside.slabs;
    stats.slab_bytes += beside.slab_bytes;
    stats.retired_bytes += beside.retired_bytes;
    stats
}

/// The methods that every list has. Its `domain()` is `self.pool().domain()`.
macro_rules! common {
    ($($value:ident),* $(; tidy $tidy:ident)? $(; beside $beside:ident)?) => {
        /// The domain that the guards of the list belong to.
        #[must_use]
        pub fn domain(&self) -> &smr_core::Domain {
            self.pool().domain()
        }

        /// A section on the calling thread, for this list and all of its domain.
        ///
        /// Wait-free. Its end drops what was removed from this list and waited for
        /// it: see [the crate](crate#when-values-are-dropped).
        #[inline]
        pub fn guard(&self) -> smr_core::PoolGuard<'_> {
            self.pool().pin()
        }

        /// As [`guard`](Self::guard), bound to no thread: it may be held over
        /// `.await`. Values must be `Send`, for its end may drop some.
        pub fn owned_guard(&self) -> smr_core::PoolOwnedGuard<'_>
        where
            $($value: Send),*
        {
            self.pool().owned_guard()
        }

        /// Drops the removed values that no reader holds up. Does not wait.
        ///
        /// # Panics
        ///
        /// If a destructor of a value does.
        pub fn flush(&self) {
            // The guard goes first: its section holds up what is removed in it.
            $(self.$tidy(&self.guard());)?
            self.pool().flush();
            $(self.$beside().flush();)?
        }

        /// Waits until what was retired before has been dropped, by whatever thread.
        ///
        /// # Panics
        ///
        /// If the calling thread is inside a section of the list's domain, or a
        /// destructor panics.
        pub fn barrier(&self) {
            $(self.$tidy(&self.guard());)?
            self.pool().barrier();
            $(self.$beside().flush();)?
        }

        /// What memory the list holds, and for what. Its items are elements.
        #[must_use]
        pub fn stats(&self) -> smr_core::PoolStats {
            let stats = self.pool().stats();
            $(let stats = $crate::entry::with_bytes_of(stats, self.$beside().stats());)?
            stats
        }

        /// Gives free memory back to the system, and returns its bytes.
        pub fn trim(&self) -> usize {
            let bytes = self.pool().trim();
            $(let bytes = bytes + self.$beside().trim();)?
            bytes
        }
    };
}
pub(crate) use common;
