//! What a domain can tell about itself.

use core::fmt;
use core::time::Duration;

use alloc::string::String;
use alloc::vec::Vec;

use crate::domain::Domain;
use crate::raw::inner::Inner;
use crate::raw::participant::Label;
use crate::sync::{Ordering, process};
use crate::tunables::FIRST_SEQ;

/// A domain's counters, taken one after the other while others go on.
///
/// Bytes are those that the user's side stated or that follow from the type; the
/// allocator's own overhead is not in them. Pools have statistics of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Goals handed out since the domain was made.
    pub advances: u64,
    /// Polls that had to look at the readers.
    pub polls: u64,
    /// Scans of all slots, each with one heavy barrier.
    pub scans: u64,
    /// Polls that found a reader in the way.
    pub failed_polls: u64,
    /// Heavy barriers that the system refused after it had granted them. The
    /// polls failed for that reason.
    pub refused_barriers: u64,
    /// Collections for everybody: by marked readers, `flush`, `barrier`, threads
    /// that went.
    pub sweeps: u64,
    /// Sections that a poll had marked and whose end collected.
    pub assists: u64,
    /// Items retired to the domain itself (not to pools) that are not destroyed.
    pub retired_items: u64,
    /// The bytes of those.
    pub retired_bytes: u64,
    /// Items whose goal has expired since the domain was made, those of pools
    /// included.
    pub reclaimed_items: u64,
    /// The bytes of those.
    pub reclaimed_bytes: u64,
    /// Whether more is retired than `max_retired_bytes` allows.
    pub over_limit: bool,
    /// Slots that are taken by threads, handles and owned guards. In the global
    /// domain a thread keeps one that an owned guard left on it, for the next.
    pub participants: u32,
    /// Sections that are open.
    pub active_sections: u32,
    /// Mean cost of a heavy barrier, in nanoseconds, as measured lately.
    pub barrier_cost_ns: u32,
}

/// A section that holds up reclamation: see [`Domain::oldest_section`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Section {
    /// The name of the thread that entered; `None` if it has none, or if the
    /// slot is not a thread's.
    pub thread_name: Option<String>,
    /// Whether it was entered with [`Domain::owned_guard`]. The thread named is
    /// the one that did; the guard may be anywhere.
    pub owned_guard: bool,
    /// Goals handed out since it was entered: none of them has expired.
    pub advances_behind: u64,
    /// How long it has been known to be behind: since the first poll, or call of
    /// `oldest_section`, that found it so. It may be older than that.
    pub age_at_least: Duration,
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.thread_name.as_deref().unwrap_or("unnamed");
        let kind = if self.owned_guard {
            "owned guard taken by thread"
        } else {
            "thread"
        };
        write!(
            f,
            "{kind} '{name}', inside for {:?} or longer, {} advances behind",
            self.age_at_least, self.advances_behind
        )
    }
}

impl Label {
    #[cfg(all(feature = "std", not(loom)))]
    pub(crate) fn of_this_thread() -> Self {
        Self {
            thread: std::thread::current().name().and_then(copy),
            ..Self::default()
        }
    }

    #[cfg(any(not(feature = "std"), loom))]
    pub(crate) fn of_this_thread() -> Self {
        Self::default()
    }
}

/// A copy of a name, if there is memory for it.
#[cfg(all(feature = "std", not(loom)))]
fn copy(name: &str) -> Option<String> {
    let mut copy = String::new();
    copy.try_reserve_exact(name.len()).ok()?;
    copy.push_str(name);
    Some(copy)
}

fn read(counter: &process::AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

impl Inner {
    pub(crate) fn stats(&self) -> Stats {
        let counts = &self.counts;
        let (mut items, mut bytes) = self.depot.with(|depot| {
            let held = depot.retired();
            (held.items + depot.ready_items(), held.bytes)
        });
        let claimed: Vec<_> = self
            .registry
            .iter()
            .filter(|slot| slot.has_garbage() && slot.latch.claim())
            .collect();
        let done = claimed.is_empty() || self.clock.barrier();
        for slot in claimed {
            if done {
                let _ = slot.with_bins_of_stranger(|bins| {
                    let held = bins.retired();
                    items += held.items + bins.ready_items();
                    bytes = bytes.wrapping_add(held.bytes);
                });
            }
            slot.latch.give_back();
        }
        let taken = || {
            self.registry.iter().filter(|slot| {
                slot.claimed.load(Ordering::Relaxed) != 0 && slot.is_of_this_process()
            })
        };
        Stats {
            advances: self.clock.now() - FIRST_SEQ,
            polls: read(&counts.polls),
            scans: read(&counts.scans),
            failed_polls: read(&counts.failed_polls),
            refused_barriers: read(&counts.refused_barriers),
            sweeps: read(&counts.sweeps),
            assists: read(&counts.assists),
            retired_items: items as u64,
            retired_bytes: bytes as u64,
            reclaimed_items: read(&counts.reclaimed_items),
            reclaimed_bytes: read(&counts.reclaimed_bytes),
            over_limit: self.is_over_limit(),
            participants: taken().count() as u32,
            active_sections: taken().filter(|slot| slot.is_active()).count() as u32,
            barrier_cost_ns: self.clock.barrier_cost_ns(),
        }
    }

    #[cfg(all(feature = "std", not(loom)))]
    pub(crate) fn oldest_section(&self) -> Option<Section> {
        let now = self.clock.now();
        let (slot, seq) = self
            .registry
            .iter()
            .filter(|slot| slot.is_of_this_process())
            .map(|slot| (slot, slot.seq.load(Ordering::Acquire)))
            .filter(|(_, seq)| *seq != 0)
            .min_by_key(|(_, seq)| *seq)?;
        if seq < now {
            self.note_behind(slot, seq);
        }
        let origin = slot.origin();
        // Who took an owned guard is named in its own slot.
        let named = match origin {
            0 => Some(slot),
            // Gone, if it has exited since.
            token => self.registry.iter().find(|other| other.token() == token),
        };
        let behind = slot.label.with(|label| label.behind);
        Some(Section {
            thread_name: named.and_then(|named| named.label.with(|label| label.thread.clone())),
            owned_guard: slot.token() == 0,
            // It may have been entered since we looked at the clock.
            advances_behind: now.saturating_sub(seq),
            age_at_least: behind
                .filter(|(at, _)| *at == seq)
                .map_or(Duration::ZERO, |(_, since)| since.elapsed()),
        })
    }
}

impl Domain {
    /// The domain's counters. Walks the slots, and makes one heavy barrier if
    /// anything is retired.
    ///
    /// ```
    /// let domain = smr_core::Domain::new();
    /// let guard = domain.owned_guard();
    /// guard.retire([0_u8; 100]);
    /// let stats = domain.stats();
    /// assert_eq!((stats.retired_items, stats.retired_bytes), (1, 100));
    /// assert_eq!(stats.active_sections, 1);
    /// ```
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.inner().stats()
    }

    /// The open section that was entered first, with the name of its thread: who
    /// holds memory up.
    ///
    /// ```
    /// use smr_core::Domain;
    ///
    /// let domain = Domain::new();
    /// let stuck = domain.pin();
    /// domain.advance();
    /// let section = domain.oldest_section().unwrap();
    /// assert_eq!(section.advances_behind, 1);
    /// assert_eq!(section.thread_name.as_deref(), std::thread::current().name());
    /// ```
    #[cfg(all(feature = "std", not(loom)))]
    #[must_use]
    pub fn oldest_section(&self) -> Option<Section> {
        self.inner().oldest_section()
    }
}
