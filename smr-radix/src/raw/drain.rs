//! Taking everything out, by value, of a tree that nobody else uses.

use core::marker::PhantomData;

use crate::raw::policy::Policy;
use crate::raw::tree::Raw;

/// Takes all entries out of a tree, in the order of the keys, and leaves it empty.
pub(crate) struct RawDrain<'t, P: Policy>(PhantomData<&'t mut P>);

/// All entries of a tree that is gone, in the order of the keys.
pub(crate) struct RawIntoIter<P: Policy>(PhantomData<P>);

impl<P: Policy> Raw<P> {
    pub(crate) fn drain(&mut self) -> RawDrain<'_, P> {
        unimplemented!()
    }

    pub(crate) fn into_iter(self) -> RawIntoIter<P> {
        unimplemented!()
    }
}

impl<P: Policy> Iterator for RawDrain<'_, P> {
    type Item = (u64, P::Value);

    fn next(&mut self) -> Option<(u64, P::Value)> {
        unimplemented!()
    }
}

impl<P: Policy> Iterator for RawIntoIter<P> {
    type Item = (u64, P::Value);

    fn next(&mut self) -> Option<(u64, P::Value)> {
        unimplemented!()
    }
}
