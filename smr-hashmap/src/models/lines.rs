//! One bucket by itself: what its head says of its slots.

use std::ptr::NonNull;

use loom::sync::Arc;
use loom::thread;

use super::support::{Note, Reached, explore};
use crate::raw::line::{Line, More, Slot};
use crate::raw::word::Word;
use crate::raw::{Entry, Hash};

/// A bucket, and entries for it, which are leaked.
struct Bucket {
    line: Line,
    claims: [Word; 2],
    note: Note,
}

// SAFETY: words are compared here, and not followed.
unsafe impl Send for Bucket {}
// SAFETY: as above.
unsafe impl Sync for Bucket {}

impl Bucket {
    fn new() -> Arc<Self> {
        let claims = [1, 2].map(|key| {
            let hash = Hash::raw(key << 8 | key);
            let entry = Box::leak(Box::new(Entry {
                hash,
                key,
                value: (),
            }));
            Word::claimed(hash, NonNull::from(entry))
        });
        Arc::new(Self {
            line: Line::new(),
            claims,
            note: Note::default(),
        })
    }

    /// The slot of the line.
    fn slot(&self) -> &Slot {
        &self.line.slots().slots()[0]
    }

    /// The slot behind the link.
    fn behind(&self) -> &Slot {
        &self.line.slots().next().expect("there is more").slots()[0]
    }

    fn word(&self) -> Word {
        self.slot().load()
    }

    /// Inserts the first entry.
    fn insert(&self) {
        let head = self.line.settle();
        let slot = self.slot();
        assert!(slot.claim(self.word(), self.claims[0]));
        assert!(self.line.decide(head, 0));
        slot.complete(self.claims[0]);
    }

    fn free(&self) -> bool {
        let slot = self.slot();
        self.line.free(0, slot, self.claims[0].live())
    }
}

fn spawn(bucket: &Arc<Bucket>, f: impl FnOnce(&Bucket) + Send + 'static) -> thread::JoinHandle<()> {
    let bucket = Arc::clone(bucket);
    thread::spawn(move || f(&bucket))
}

fn join(others: [thread::JoinHandle<()>; 2]) {
    for other in others {
        other.join().unwrap();
    }
}

/// Who finds an entry finds that the head names its slot.
#[test]
fn what_is_live_is_named() {
    static LIVE: Reached = Reached::new("it is live");
    explore(None, || {
        let bucket = Bucket::new();
        let other = spawn(&bucket, |bucket| bucket.insert());
        if bucket.word() == bucket.claims[0].live() {
            LIVE.hit_if(true);
            assert!(
                bucket.line.head().names(0),
                "it could be freed while it is named"
            );
        }
        other.join().unwrap();
    });
    LIVE.check();
}

/// Who finds a slot out of the head finds its entry complete, or gone.
#[test]
fn what_is_not_named_is_complete() {
    static OUT: Reached = Reached::new("it was taken out of the head");
    explore(None, || {
        let bucket = Bucket::new();
        let others = [
            spawn(&bucket, |bucket| bucket.insert()),
            spawn(&bucket, |bucket| {
                if bucket.word() == bucket.claims[0].live() {
                    bucket.free();
                }
            }),
        ];
        let head = bucket.line.head();
        if !head.is_null() && !head.names(0) {
            OUT.hit_if(true);
            assert_ne!(
                bucket.word(),
                bucket.claims[0],
                "its key could come in twice"
            );
        }
        join(others);
    });
    OUT.check();
}

/// The slot that the head names is freed, and claimed anew: nobody completes that claim.
#[test]
fn claims_are_completed_when_they_were_decided() {
    static AFTER: Reached = Reached::new("the slot is claimed anew before it is settled");
    explore(None, || {
        let bucket = Bucket::new();
        bucket.insert();
        let other = spawn(&bucket, |bucket| {
            assert!(bucket.free());
            let slot = bucket.slot();
            assert!(slot.claim(Word::EMPTY, bucket.claims[1]));
        });
        let head = bucket.line.settle();
        AFTER.hit_if(!head.names(0) && bucket.word().is_claimed());
        other.join().unwrap();
        assert_eq!(bucket.word(), bucket.claims[1], "it was not decided");
    });
    AFTER.check();
}

/// Who finds an entry in another's place finds what came before.
#[test]
fn replacement_and_what_came_before() {
    static NEW: Reached = Reached::new("the new one is found");
    explore(None, || {
        let bucket = Bucket::new();
        bucket.insert();
        let other = spawn(&bucket, |bucket| {
            bucket.note.write();
            let [old, new] = bucket.claims.map(Word::live);
            assert!(bucket.slot().replace(old, new));
        });
        if bucket.word() == bucket.claims[1].live() {
            NEW.hit_if(true);
            bucket.note.read();
        }
        other.join().unwrap();
    });
    NEW.check();
}

/// Who finds an entry finds what came before its insertion, also when another completed
/// it; and who finds it gone, what came before its removal.
#[test]
fn insertion_and_what_came_before() {
    static LIVE: Reached = Reached::new("it is found");
    explore(2, || {
        let bucket = Bucket::new();
        let others = [
            spawn(&bucket, |bucket| {
                bucket.note.write();
                bucket.insert();
            }),
            spawn(&bucket, |bucket| _ = bucket.line.settle()),
        ];
        if bucket.word() == bucket.claims[0].live() {
            LIVE.hit_if(true);
            bucket.note.read();
        }
        join(others);
    });
    LIVE.check();
}

/// More slots are made while others look for them.
#[test]
fn more_slots() {
    static MORE: Reached = Reached::new("there are more slots");
    explore(None, || {
        let bucket = Bucket::new();
        let other = spawn(&bucket, |bucket| {
            let more = Box::leak(Box::new(More::new()));
            assert!(bucket.line.slots().extend(NonNull::from(more)));
        });
        if let Some(more) = bucket.line.slots().next() {
            MORE.hit_if(true);
            assert!(more.words()[0].is_free());
        }
        other.join().unwrap();
    });
    MORE.check();
}

/// A bucket with an entry behind the link.
fn too_full() -> Arc<Bucket> {
    let bucket = Bucket::new();
    let more = Box::leak(Box::new(More::new()));
    assert!(bucket.line.slots().extend(NonNull::from(more)));
    let head = bucket.line.settle();
    assert!(bucket.behind().claim(Word::UNUSED, bucket.claims[0]));
    assert!(bucket.line.decide(head, 1));
    bucket.behind().complete(bucket.claims[0]);
    bucket
}

/// A removal from behind the link closes it, unless an insertion there is decided.
#[test]
fn what_is_behind_the_link_is_said() {
    static CLOSED: Reached = Reached::new("nothing is behind it any more");
    static AGAIN: Reached = Reached::new("another one came there");
    explore(2, || {
        let bucket = too_full();
        let other = spawn(&bucket, |bucket| {
            let old = bucket.claims[0].live();
            assert!(bucket.line.free(1, bucket.behind(), old));
            bucket.line.close();
        });
        let head = bucket.line.settle();
        let word = bucket.behind().load();
        let [_, claim] = bucket.claims;
        if word.is_free() && bucket.behind().claim(word, claim) {
            if bucket.line.decide(head, 1) {
                bucket.behind().complete(claim);
            } else {
                bucket.behind().take_back(claim);
            }
        }
        other.join().unwrap();
        let has_more = bucket.line.head().has_more();
        let is_there = bucket.behind().load() == claim.live();
        assert!(has_more || !is_there, "nobody would look for it");
        CLOSED.hit_if(!has_more);
        AGAIN.hit_if(is_there);
    });
    CLOSED.check();
    AGAIN.check();
}

/// Who finds that nothing is behind the link finds what came before it went.
#[test]
fn closing_and_what_came_before() {
    static CLOSED: Reached = Reached::new("nothing is behind it any more");
    explore(None, || {
        let bucket = too_full();
        // So the removal has nothing to take out of the head.
        let head = bucket.line.settle();
        assert!(bucket.slot().claim(Word::UNUSED, bucket.claims[1]));
        assert!(bucket.line.decide(head, 0));
        bucket.slot().complete(bucket.claims[1]);
        let other = spawn(&bucket, |bucket| {
            bucket.note.write();
            let old = bucket.claims[0].live();
            assert!(bucket.line.free(1, bucket.behind(), old));
            bucket.line.close();
        });
        if !bucket.line.head().has_more() {
            CLOSED.hit_if(true);
            bucket.note.read();
        }
        other.join().unwrap();
    });
    CLOSED.check();
}

/// An insertion is decided, or the bucket is frozen without it.
#[test]
fn insertion_and_freezing() {
    static IN: Reached = Reached::new("it came in");
    static OUT: Reached = Reached::new("it did not");
    explore(None, || {
        let bucket = Bucket::new();
        let other = spawn(&bucket, |bucket| bucket.line.freeze());
        let head = bucket.line.settle();
        let slot = bucket.slot();
        let is_in = head.is_live()
            && slot.claim(Word::UNUSED, bucket.claims[0])
            && if bucket.line.decide(head, 0) {
                slot.complete(bucket.claims[0]);
                true
            } else {
                slot.take_back(bucket.claims[0]);
                false
            };
        IN.hit_if(is_in);
        OUT.hit_if(!is_in);
        other.join().unwrap();
        let word = bucket.word();
        if is_in {
            assert_eq!(word, bucket.claims[0].live().frozen(), "it moves");
        } else {
            assert!(word.is_free(), "nothing moves");
        }
    });
    IN.check();
    OUT.check();
}

/// A decision fails when any insertion was decided since the bucket was settled, also when
/// the head names the same slot again.
#[test]
fn decisions_are_numbered() {
    explore(None, || {
        let bucket = Bucket::new();
        let more = Box::leak(Box::new(More::new()));
        assert!(bucket.line.slots().extend(NonNull::from(more)));
        // From the beginning the head says that there is more: its number alone tells.
        assert!(bucket.line.decide(bucket.line.settle(), 1));
        bucket.insert();
        let head = bucket.line.settle();
        assert!(head.names(0) && head.has_more());
        // Others come into another slot, and then into this one.
        assert!(bucket.line.decide(head, 1));
        assert!(bucket.free());
        bucket.insert();
        assert!(bucket.line.head().names(0));
        assert!(
            !bucket.line.decide(head, 1),
            "it does not know of the others"
        );
    });
}

/// A removal that comes late, when its entry has gone and another insertion into the slot
/// was decided: that is helped to its end all the same.
#[test]
fn late_removals_undo_no_decision() {
    static BEFORE: Reached = Reached::new("the removal is late, and the insertion not complete");
    explore(2, || {
        let bucket = Bucket::new();
        bucket.insert();
        let others = [
            spawn(&bucket, |bucket| {
                if bucket.word() == bucket.claims[0].live() {
                    bucket.free();
                }
            }),
            spawn(&bucket, |bucket| {
                if !bucket.free() {
                    return;
                }
                let slot = bucket.slot();
                let head = bucket.line.settle();
                if slot.claim(Word::EMPTY, bucket.claims[1]) && bucket.line.decide(head, 0) {
                    // It stops here.
                    BEFORE.hit();
                }
            }),
        ];
        join(others);
        let decided = bucket.line.head().version() == 2;
        bucket.line.settle();
        if decided {
            assert_eq!(bucket.word(), bucket.claims[1].live(), "nobody helps it");
        }
    });
    BEFORE.check();
}
