//! The files, as they are, and a copy of them that the cache reads and writes.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::page::{Bytes, PAGE};

/// Of larger files the beginning is taken.
const LARGEST: u64 = 4 << 20;
/// So much is taken of all files together.
const ALL: u64 = 64 << 20;

/// What the files contain, each filled up to a whole page with zeros.
pub(crate) struct Files {
    bytes: Vec<u8>,
    /// The first page of each, and the end of the last.
    firsts: Vec<usize>,
}

impl Files {
    /// Reads the files below some folders, up to a limit.
    pub(crate) fn read(folders: &[PathBuf]) -> io::Result<Self> {
        let (mut bytes, mut firsts) = (Vec::new(), vec![0]);
        for folder in folders {
            let mut found = Vec::new();
            list(folder, &mut found)?;
            found.sort();
            for path in found {
                // A file may be gone by now, where a compiler is at work.
                let Ok(file) = File::open(&path) else {
                    continue;
                };
                let room = LARGEST.min(ALL.saturating_sub(bytes.len() as u64));
                if file.take(room).read_to_end(&mut bytes)? > 0 {
                    bytes.resize(bytes.len().next_multiple_of(PAGE), 0);
                    firsts.push(bytes.len() / PAGE);
                }
            }
        }
        Ok(Self { bytes, firsts })
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.firsts.len() - 1
    }

    /// Pages of all of them.
    pub(crate) fn pages(&self) -> usize {
        self.bytes.len() / PAGE
    }

    /// Pages of a file.
    pub(crate) fn pages_of(&self, file: usize) -> u64 {
        (self.firsts[file + 1] - self.firsts[file]) as u64
    }

    /// The place of a page among the pages of all files.
    pub(crate) fn place(&self, file: usize, number: u64) -> usize {
        self.firsts[file] + number as usize
    }

    /// The file that has a page of all, and which of its pages that is.
    pub(crate) fn owner(&self, place: usize) -> (usize, u64) {
        let file = self.firsts.partition_point(|first| *first <= place) - 1;
        (file, (place - self.firsts[file]) as u64)
    }

    /// What a page contains once it has been written so many times: at each time every
    /// word of it is another.
    pub(crate) fn written(&self, place: usize, times: u64) -> Box<Bytes> {
        let mut page = Box::new([0; PAGE]);
        for (to, word) in page.chunks_exact_mut(8).zip(self.words(place)) {
            to.copy_from_slice(&(word ^ times).to_le_bytes());
        }
        page
    }

    /// How often these bytes of a page were written, if they are bytes of that page
    /// from the first to the last.
    pub(crate) fn times(&self, place: usize, bytes: &Bytes) -> Option<u64> {
        let found = bytes.chunks_exact(8).map(word);
        let mut differences = found.zip(self.words(place)).map(|(a, b)| a ^ b);
        let times = differences.next()?;
        // All of them are looked at: no branch, so that several go at once.
        let others = differences.fold(0, |sum, difference| sum | (difference ^ times));
        (others == 0).then_some(times)
    }

    fn words(&self, place: usize) -> impl Iterator<Item = u64> {
        let page = &self.bytes[place * PAGE..][..PAGE];
        page.chunks_exact(8).map(word)
    }
}

fn word(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes.try_into().expect("eight bytes"))
}

fn list(folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() && !entry.file_name().to_string_lossy().starts_with('.') {
            // It may be gone by now.
            let _ = list(&entry.path(), found);
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
    Ok(())
}

/// A copy of all files in one, gone at the end.
pub(crate) struct Disk {
    path: PathBuf,
}

impl Disk {
    pub(crate) fn new(files: &Files) -> io::Result<Self> {
        let name = format!("smr-page-cache-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::write(&path, &files.bytes)?;
        Ok(Self { path })
    }

    /// An arm of its own for a thread.
    pub(crate) fn open(&self) -> io::Result<Arm> {
        let file = File::options().read(true).write(true).open(&self.path)?;
        Ok(Arm(file))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Reads and writes pages of the copy.
pub(crate) struct Arm(File);

impl Arm {
    pub(crate) fn read(&mut self, place: usize) -> io::Result<Box<Bytes>> {
        let mut page = Box::new([0; PAGE]);
        self.0.seek(SeekFrom::Start((place * PAGE) as u64))?;
        self.0.read_exact(&mut page[..])?;
        Ok(page)
    }

    pub(crate) fn write(&mut self, place: usize, bytes: &Bytes) -> io::Result<()> {
        self.0.seek(SeekFrom::Start((place * PAGE) as u64))?;
        self.0.write_all(bytes)
    }
}
