//! A trace of page references: made from what valgrind's lackey says, stored, and
//! read back.
//!
//! # What is kept
//!
//! Of the addresses that a program touches, a page cache sees few: most fall on a
//! page that was touched a moment ago. [`reduce`] drops what falls on one of the
//! [`REACH`] pages touched last, as the translation buffer of a processor would; so
//! consecutive references to one page are one. (Deleting the top of the LRU stack is
//! Smith's way to shorten traces: "Two Methods for the Efficient Analysis of Memory
//! Address Trace Data", IEEE TSE 3(1), 1977.)
//!
//! # The stored form
//!
//! Deflated: the number of distinct pages, four bytes, the lowest first; those pages
//! in ascending order, each as its distance from the one before, seven bits a byte,
//! the lowest first, with the high bit where more follow; then for each reference
//! which of them it is, two bytes.

use std::collections::BTreeSet;
use std::io::{self, BufRead};

use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec_with_limit;

/// References to one of so many pages touched last are dropped.
pub(crate) const REACH: usize = 64;
/// Bits of an address below its page.
const PAGE_BITS: u32 = 12;
/// No stored trace is longer than this, unpacked.
const LIMIT: usize = 1 << 26;
/// As good as it gets.
const LEVEL: u8 = 10;

/// The compiler at work; `benches/traces/README.md` says how it was taken.
const STORED: &[u8] = include_bytes!("../traces/rustc.pages");
/// Who is traced.
pub(crate) const NAME: &str = "rustc";

/// The stored trace: page numbers, in the order in which they were touched.
///
/// # Panics
///
/// When the file is damaged, which its test would have told.
pub(crate) fn stored() -> Vec<u64> {
    unpack(STORED).expect("the stored trace is whole")
}

/// The page of a line of lackey's, if it tells of an access.
fn page(line: &[u8]) -> Option<u64> {
    let (kind, rest) = line.split_at_checked(3)?;
    let known = matches!(kind, b"I  " | b" L " | b" S " | b" M ");
    let end = rest.iter().position(|byte| *byte == b',')?;
    let address = str::from_utf8(&rest[..end]).ok()?;
    let address = u64::from_str_radix(address, 16).ok()?;
    known.then_some(address >> PAGE_BITS)
}

/// The pages that lackey tells of, without what falls on one of those touched last.
///
/// # Errors
///
/// When the input cannot be read.
pub(crate) fn reduce(mut lines: impl BufRead) -> io::Result<Vec<u64>> {
    let (mut line, mut kept) = (Vec::new(), Vec::new());
    // The page touched last is the first.
    let mut recent: Vec<u64> = Vec::with_capacity(REACH + 1);
    while lines.read_until(b'\n', &mut line)? > 0 {
        if let Some(page) = page(&line) {
            match recent.iter().position(|known| *known == page) {
                Some(at) => recent[..=at].rotate_right(1),
                None => {
                    kept.push(page);
                    recent.insert(0, page);
                    recent.truncate(REACH);
                }
            }
        }
        line.clear();
    }
    Ok(kept)
}

/// The stored form of a trace.
///
/// # Errors
///
/// When it has more distinct pages than two bytes can tell apart.
pub(crate) fn pack(trace: &[u64]) -> Result<Vec<u8>, String> {
    let distinct: BTreeSet<u64> = trace.iter().copied().collect();
    let pages: Vec<u64> = distinct.into_iter().collect();
    if pages.len() > 1 << 16 {
        return Err(format!("{} distinct pages are too many", pages.len()));
    }
    let mut bytes = (pages.len() as u32).to_le_bytes().to_vec();
    let mut before = 0;
    for &page in &pages {
        let mut distance = page - before;
        before = page;
        while distance >= 0x80 {
            bytes.push(distance as u8 | 0x80);
            distance >>= 7;
        }
        bytes.push(distance as u8);
    }
    for page in trace {
        let at = pages.binary_search(page).expect("it is among them");
        bytes.extend((at as u16).to_le_bytes());
    }
    Ok(compress_to_vec(&bytes, LEVEL))
}

/// The trace in a stored form.
///
/// # Errors
///
/// When it is not one.
pub(crate) fn unpack(stored: &[u8]) -> Result<Vec<u64>, String> {
    let bytes = decompress_to_vec_with_limit(stored, LIMIT).map_err(|error| error.to_string())?;
    let (count, mut rest) = bytes.split_first_chunk().ok_or("it has no head")?;
    let count = u32::from_le_bytes(*count);
    let (mut pages, mut before) = (Vec::new(), 0_u64);
    for _ in 0..count {
        let (mut distance, mut shift) = (0_u64, 0);
        loop {
            let (&byte, more) = rest.split_first().ok_or("its pages end early")?;
            rest = more;
            let bits = u64::from(byte & 0x7f);
            if shift >= u64::BITS || bits << shift >> shift != bits {
                return Err("a page is too far away".into());
            }
            distance |= bits << shift;
            shift += 7;
            if byte < 0x80 {
                break;
            }
        }
        before = before
            .checked_add(distance)
            .ok_or("a page is too far away")?;
        pages.push(before);
    }
    let (references, odd) = rest.as_chunks();
    if !odd.is_empty() {
        return Err("a reference is cut off".into());
    }
    references
        .iter()
        .map(|at| pages.get(usize::from(u16::from_le_bytes(*at))).copied())
        .collect::<Option<_>>()
        .ok_or_else(|| "a reference leads to no page".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deflated(bytes: &[u8]) -> Vec<u8> {
        compress_to_vec(bytes, 1)
    }

    #[test]
    fn a_trace_survives_being_stored() {
        let trace = [7, 1 << 52, 7, 0, (1 << 52) - 1, 0x80, 0x7f, 7, u64::MAX];
        let stored = pack(&trace).expect("few pages");
        assert_eq!(unpack(&stored).expect("our own"), trace);
        let none = pack(&[]).expect("no pages");
        assert!(unpack(&none).expect("our own").is_empty());
    }

    #[test]
    fn too_many_pages_are_refused() {
        let trace: Vec<u64> = (0..=1 << 16).collect();
        assert!(pack(&trace).is_err());
        let most = &trace[1..];
        let stored = pack(most).expect("just as many as there may be");
        assert_eq!(unpack(&stored).expect("our own"), most);
    }

    #[test]
    fn what_is_no_trace_is_refused() {
        for (bytes, why) in [
            (&b""[..], "head"),
            (&[2, 0, 0, 0, 1], "early"),
            (&[1, 0, 0, 0, 0x80], "early"),
            (&[1, 0, 0, 0, 5, 0], "cut off"),
            (&[1, 0, 0, 0, 5, 1, 0], "no page"),
        ] {
            let error = unpack(&deflated(bytes)).expect_err("it is none");
            assert!(error.contains(why), "{bytes:?}: {error}");
        }
        // Eleven times seven bits, and two distances that add up to too much.
        let long = [[1, 0, 0, 0].as_slice(), &[0xff; 10], &[1]].concat();
        assert!(unpack(&deflated(&long)).is_err());
        let most = [&[0xff; 9][..], &[1]].concat();
        let sum = [[2, 0, 0, 0].as_slice(), &most, &most].concat();
        assert!(unpack(&deflated(&sum)).is_err());
        assert!(unpack(b"not deflated").is_err());
    }

    #[test]
    fn what_was_touched_last_is_dropped() {
        let mut text = String::from("==1== Lackey, an example Valgrind tool\n");
        // Two accesses to a page, in all ways to say it.
        text += "I  00001ffc,4\n L 1000,8\n S 00002008,8\n M 2000,4\n";
        // As many others as are remembered, the first of them again, and page 1.
        for page in 0x10..0x10 + REACH {
            text += &format!(" L {page:x}000,8\n");
        }
        text += " S 10000,1\n L 1000,8\n\nI  not an address,1\n";
        let kept = reduce(text.as_bytes()).expect("it is text");
        let others = 0x10..0x10 + REACH as u64;
        let expected: Vec<u64> = [1, 2].into_iter().chain(others).chain([1]).collect();
        assert_eq!(kept, expected);
    }

    #[test]
    fn the_stored_trace_is_what_its_text_says() {
        let _alone = crate::alloc::tests::alone();
        let text = include_str!("../traces/README.md").replace(',', "");
        let trace = stored();
        let distinct: BTreeSet<u64> = trace.iter().copied().collect();
        for (count, what) in [(trace.len(), "references"), (distinct.len(), "pages")] {
            let told = format!("{count} {what}");
            assert!(text.contains(&told), "{told}");
        }
        assert!(STORED.len() < 400_000);
    }
}
