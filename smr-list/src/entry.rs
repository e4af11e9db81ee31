//! What the faces share.

use smr_core::{Domain, Guard};

#[inline]
#[track_caller]
pub(crate) fn check(guard: &Guard, domain: &Domain) {
    assert!(
        guard.protects(domain),
        "the guard does not protect the domain of this list"
    );
}

/// The methods that every list has. Its `domain()` is `self.pool().domain()`.
macro_rules! common {
    () => {
        /// The domain that the guards of the list belong to.
        #[must_use]
        pub fn domain(&self) -> &smr_core::Domain {
            self.pool().domain()
        }

        /// A section on the calling thread, for this list and all of its domain.
        pub fn guard(&self) -> smr_core::Guard {
            self.domain().pin()
        }

        /// A section that is bound to no thread, and may be held over `.await`.
        pub fn owned_guard(&self) -> smr_core::OwnedGuard {
            self.domain().owned_guard()
        }

        /// Drops the removed values that no reader holds up. Does not wait.
        ///
        /// # Panics
        ///
        /// If a destructor of a value does; the others have run then.
        pub fn flush(&self) {
            self.pool().flush();
        }

        /// What memory the list holds, and for what.
        #[must_use]
        pub fn stats(&self) -> smr_core::PoolStats {
            self.pool().stats()
        }

        /// Gives free memory back to the system, and returns its bytes.
        pub fn trim(&self) -> usize {
            self.pool().trim()
        }
    };
}
pub(crate) use common;
