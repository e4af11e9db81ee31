//! What a bucket is to become: the blocks of a change, before it is made.

use core::ptr::NonNull;
use core::slice;

use smr_core::Guard;

use crate::raw::block::{BlockRef, Draft};
use crate::raw::blocks::Blocks;
use crate::raw::entry::{Entry, Hash};
use crate::raw::map::{Found, RawMap};
use crate::raw::table::Word;
use crate::tunables::LOOK_FROM;

/// A change of a bucket that has not been made yet.
pub(crate) struct Edit {
    pub(crate) word: Word,
    /// The blocks from here to `shared` are new.
    pub(crate) made: Option<BlockRef>,
    /// The blocks from here to `shared` are not in the bucket after the change.
    pub(crate) cut: Option<BlockRef>,
    pub(crate) shared: Option<BlockRef>,
    /// The bucket holds so much then that the table may be full.
    pub(crate) is_crowded: bool,
}

impl<K, V> RawMap<K, V> {
    /// The bucket with one more entry.
    #[inline]
    pub(crate) fn added(
        blocks: &Blocks,
        first: Option<BlockRef>,
        hash: Hash,
        entry: NonNull<Entry<K, V>>,
        guard: &Guard,
    ) -> Edit {
        let (mut draft, cut, shared) = match first {
            None => (Draft::new(None), None, None),
            Some(first) => {
                let draft = Draft::copy(first);
                if draft.has_room() {
                    (draft, Some(first), first.next())
                } else {
                    // All blocks but the first of a chain are full.
                    (Draft::new(Some(first)), None, Some(first))
                }
            }
        };
        draft.push(hash, entry);
        let is_crowded = draft.len() >= LOOK_FROM || shared.is_some();
        let made = blocks.make(draft, guard);
        Edit {
            word: Word::of(Some(made)),
            made: Some(made),
            cut,
            shared,
            is_crowded,
        }
    }

    /// The bucket with another entry in a place.
    #[inline]
    pub(crate) fn replaced(
        blocks: &Blocks,
        first: BlockRef,
        found: &Found<'_, K, V>,
        hash: Hash,
        entry: NonNull<Entry<K, V>>,
        guard: &Guard,
    ) -> Edit {
        Self::copied(blocks, first, found.block, guard, |index, draft| {
            if index == found.block {
                draft.replace(found.place, hash.tag(), entry);
            }
        })
    }

    /// The bucket without an entry. The first block of a chain gives one to fill the
    /// gap, so that all others stay full.
    #[inline]
    pub(crate) fn removed(
        blocks: &Blocks,
        first: BlockRef,
        found: &Found<'_, K, V>,
        guard: &Guard,
    ) -> Edit {
        let last = first.len() - 1;
        let (filler, tag) = (first.entry::<K, V>(last), first.tag(last));
        Self::copied(blocks, first, found.block, guard, |index, draft| {
            if index == found.block {
                if index == 0 {
                    return draft.remove(found.place);
                }
                draft.replace(found.place, tag, filler);
            }
            if index == 0 {
                draft.remove(last);
            }
        })
    }

    /// The bucket with copies of the first blocks of its chain, each after a change. A
    /// first block that is left without an entry is left out.
    #[inline]
    fn copied(
        blocks: &Blocks,
        first: BlockRef,
        last: usize,
        guard: &Guard,
        mut change: impl FnMut(usize, &mut Draft),
    ) -> Edit {
        let many: Vec<BlockRef>;
        let chain = if last == 0 {
            slice::from_ref(&first)
        } else {
            many = first.chain().take(last + 1).collect();
            &many[..]
        };
        let shared = chain.last().and_then(|block| block.next());
        let (mut next, mut made) = (shared, None);
        for (index, block) in chain.iter().enumerate().rev() {
            let mut draft = Draft::copy(*block);
            change(index, &mut draft);
            if draft.len() != 0 {
                draft.set_next(next);
                next = Some(blocks.make(draft, guard));
                made = next;
            }
        }
        Edit {
            word: Word::of(next),
            made,
            cut: Some(first),
            shared,
            is_crowded: false,
        }
    }
}
