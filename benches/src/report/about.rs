//! What suites, workloads and metrics mean, in a sentence or two each.
//!
//! A suite or metric that is not here appears all the same, with what the command
//! line says of it, and with its name.

use clap::ValueEnum;

use crate::cli::{Fault, Mix, Suite, Workload};
use crate::record::{Better, Metric};

/// A suite, explained.
#[derive(Debug)]
pub(crate) struct About {
    /// A heading.
    pub(crate) title: &'static str,
    /// What is measured.
    pub(crate) measured: &'static str,
    /// What is not, and what the figures do not say.
    pub(crate) unmeasured: &'static str,
}

/// A suite, by its name in the records.
pub(crate) fn suite(name: &str) -> Option<About> {
    let (title, measured, unmeasured) = match name {
        "section" => (
            "What a read section costs",
            "Every thread enters a section, loads one shared pointer, reads the value behind it \
             and leaves, over and over. Nobody writes.",
            "The first entry of a thread, which registers it; sections beside writers; memory.",
        ),
        "churn" => (
            "Items passed between threads and freed at full speed",
            "Every thread allocates lists of 100 items, pushes each to a queue in a section, takes \
             its own queue in a section, and retires what it took. It is the workload that \
             sequences were announced with. An operation is one item.",
            "Readers that stay inside for long (see stall); destructors that do something. Queues \
             are bounded: who finds one full frees its list on the spot.",
        ),
        "stall" => (
            "Memory while a reader stays inside",
            "One writer replaces a shared item at full speed; one reader is inside for ever \
             (pinned), or for 10 ms at a time (sleepy). The memory held beyond the one live item \
             is what the reader keeps from being freed.",
            "Limits on retired memory, which are off; more than one stalled reader.",
        ),
        "free" => (
            "Allocate, retire, reuse",
            "Every thread allocates an item of 48 bytes, writes it and retires it; the time of a \
             pair has everything in it that the pair entails later. The workload of pools counts \
             what many small pools hold.",
            "Readers: there are none. With a lock, the lock is taken to write for each item.",
        ),
        "schemes" => (
            "One structure over every reclamation system",
            "The same ordered list, and the same chained hash table of fixed size, over each \
             system through one small trait: what differs is the reclamation alone.",
            "The structures of the libraries themselves, which are tuned to their systems.",
        ),
        "map" => (
            "Hash maps",
            "Maps from u64 to u64 under mixes of operations, all with the same hash function. \
             They are grown entry by entry, as maps in use are.",
            "Large keys and values, other hash functions, iteration beside writers.",
        ),
        "latency" => (
            "Single insertions while a hash map grows",
            "Threads insert keys of their own into a map that is empty at first, and time each \
             insertion.",
            "What the scheduler does to a thread is in the tail, and cannot be told from it: read \
             the maxima of many threads with care.",
        ),
        "memory" => (
            "What hash maps hold",
            "Bytes that a map holds for each entry: grown, with room from the start, after most \
             entries were removed, and at the worst moment of a long churn.",
            "The headers and rounding of the allocator, which are in the resident figures only.",
        ),
        "list" => (
            "Linked lists",
            "Ordered lists, queues and stacks under mixes of operations.",
            "Long payloads; lists that outgrow the caches, unless the size says so.",
        ),
        "radix" => (
            "Ordered maps from integers",
            "Trees from integers under mixes of look-ups, ranges and writes.",
            "Keys other than integers.",
        ),
        "page" => (
            "A page cache",
            "Threads look pages up by their place in a file, and replace some.",
            "Disks: the pages are in memory.",
        ),
        "index" => (
            "An index of the words of real text",
            "A program from end to end: threads read the files of a folder, and count for each \
             word how often it occurs, and in which file first. Each run is a process of its own, \
             and all must give the same index.",
            "Cold files: they are read once before anything is measured.",
        ),
        "pages" => (
            "A cache of the pages of real files",
            "A program from end to end: threads serve pages of the files of a folder from a cache \
             with room for a part of them, drawn by Zipf's law, and read what is missing. Each run \
             is a process of its own, and all must serve the same bytes.",
            "Disks: the system has the files in its own cache.",
        ),
        _ => return None,
    };
    Some(About {
        title,
        measured,
        unmeasured,
    })
}

/// The heading of a suite that has no entry of its own here.
pub(crate) fn fallback(name: &str) -> String {
    let known = Suite::value_variants()
        .iter()
        .find(|suite| suite.name() == name);
    let help = known
        .and_then(ValueEnum::to_possible_value)
        .and_then(|value| value.get_help().map(ToString::to_string));
    help.unwrap_or_else(|| name.to_owned())
}

/// What the first part of a workload's name means, where its suite tells.
pub(crate) fn workload(suite: &str, name: &str) -> Option<String> {
    let head = name.split('/').next().unwrap_or(name);
    let text = match (suite, head) {
        ("section", "enter") => "The section alone.",
        ("section", "nested") => "The same inside a section that is held already.",
        ("section", "owned") => "With a guard that could move to another thread.",
        ("churn", "random") => "Lists go to any thread's queue; the number is the size of an item.",
        ("churn", "local") => "Lists go to the own queue; the number is the size of an item.",
        ("churn", "remote") => {
            "Lists go to the next thread's queue; the number is the size of an item."
        }
        ("stall", "pinned") => "The reader never leaves.",
        ("stall", "sleepy") => "The reader leaves every 10 ms and comes back.",
        ("memory", "grown") => "Grown by one insertion after the other.",
        ("memory", "presized") => "Made with room for all entries.",
        ("memory", "removed-90") => "Nine of ten entries removed again.",
        ("memory", "empty") => "With nothing in it.",
        ("memory", "churn") => "At constant size, each insertion beside a removal; at its worst.",
        ("map", _) => return help::<Workload>(head),
        ("radix", _) => return help::<Mix>(head),
        ("page", _) => return help::<Fault>(head),
        _ => return None,
    };
    Some(text.to_owned())
}

/// What the command line says of a value.
fn help<V: ValueEnum>(name: &str) -> Option<String> {
    let known = V::value_variants()
        .iter()
        .filter_map(ValueEnum::to_possible_value)
        .find(|value| value.get_name() == name)?;
    known.get_help().map(ToString::to_string)
}

/// What a metric says, as half a sentence.
pub(crate) fn metric(metric: Metric) -> String {
    let text = match metric {
        Metric::TimePerOp => "wall time of one operation of one thread",
        Metric::GetTime => "wall time of a look-up that hits",
        Metric::MissTime => "wall time of a look-up of a key that is not there",
        Metric::AtOrAfterTime => "wall time of a search for the first key at or after one",
        Metric::ScanTime => "wall time of a visit of all entries, an entry",
        Metric::InsertTime => "wall time of an insertion of a new key",
        Metric::Throughput => "operations a second, all threads together",
        Metric::WriterThroughput => "operations a second of the writer beside the readers",
        Metric::OverheadPeak => {
            "the most memory held beyond the live items, counted where it leaves the allocator"
        }
        Metric::ResidentPeak => {
            "the same of the memory that the process occupies, with what the allocator keeps"
        }
        Metric::RetiredPeak => "the most memory that was retired and waited for readers",
        Metric::OverheadSeries => "memory held beyond the live items, over the last run",
        Metric::BytesPerEntry => "bytes held for each entry",
        Metric::ResidentPerEntry => "resident bytes for each entry",
        Metric::HeapBytes => "bytes held by the empty structure",
        Metric::ResidentBytes => "resident bytes of the empty structure, one of many",
        Metric::HeapDrift => "by how much the memory of a structure of constant size swings",
        Metric::FreesPerPoll => "items freed for each scan of the readers",
        Metric::WallTime => "from the start of the work to its end",
        Metric::CpuTime => "processor time of all threads",
        Metric::PeakResident => "the most memory that the process occupied",
        other => return other.name().replace('_', " "),
    };
    text.to_owned()
}

/// Which way is up, as half a sentence.
pub(crate) fn better(metric: Metric) -> &'static str {
    match metric.better() {
        Better::Higher => "higher is better",
        Better::Lower => "lower is better",
        Better::Neither => "for information",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_suite_has_a_heading() {
        for known in Suite::value_variants() {
            assert_ne!(fallback(known.name()), known.name());
        }
        assert_eq!(fallback("novel"), "novel");
    }

    #[test]
    fn every_workload_of_maps_and_trees_is_told() {
        let maps = Workload::value_variants().iter().map(|known| known.name());
        let mixes = Mix::value_variants().iter().map(|known| known.name());
        let faults = Fault::value_variants().iter().map(|known| known.name());
        let all = maps.map(|name| ("map", name));
        let all = all.chain(mixes.map(|name| ("radix", name)));
        for (suite, name) in all.chain(faults.map(|name| ("page", name))) {
            let name = format!("{name}/1000");
            assert!(workload(suite, &name).is_some(), "{name}");
        }
    }
}
