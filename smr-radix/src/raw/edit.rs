//! The general write.

use smr_core::Guard;

use crate::raw::policy::Policy;
use crate::raw::tree::Raw;

/// What is to become of a key.
pub(crate) enum Action<V, R> {
    /// It gets this value.
    Put(V),
    /// It goes. It must be there.
    Remove,
    /// Nothing.
    Abort(R),
}

/// What became of it.
pub(crate) enum Done<'g, P: Policy + 'g, R> {
    Inserted(P::Val<'g>),
    Updated { old: P::Val<'g>, new: P::Val<'g> },
    Removed(P::Val<'g>),
    Aborted(R),
}

/// There was no memory. The tree is as it was. The value that was to be put, if one was.
pub(crate) struct NoMemory<V>(pub(crate) Option<V>);

impl<P: Policy> Raw<P> {
    /// Changes one key: asks `ask` what is to be done, with the present value and the
    /// value of its last answer that came too late, until nothing comes between.
    ///
    /// `ask` may panic: nothing has happened then.
    #[inline]
    pub(crate) fn edit<'g, R>(
        &'g self,
        key: u64,
        guard: &'g Guard,
        ask: impl FnMut(Option<P::Val<'g>>, Option<P::Value>) -> Action<P::Value, R>,
    ) -> Result<Done<'g, P, R>, NoMemory<P::Value>> {
        let _ = (key, guard, ask);
        unimplemented!()
    }
}
