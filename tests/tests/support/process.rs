//! Tests that need a process of their own.

use std::io::{Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::panic::AssertUnwindSafe;
use std::process::Command;
use std::sync::Once;
use std::sync::atomic::{AtomicI32, Ordering::SeqCst};

/// Seconds after which a child that hangs is killed.
const DEADLINE_S: u32 = 20;

/// Where the panics of a forked child go; -1 in the parent.
static REPORT_TO: AtomicI32 = AtomicI32::new(-1);

/// Forks, runs `body` in the child, and panics unless it returns there within a
/// `DEADLINE_S`. The child has one thread: a copy of the calling one.
#[track_caller]
pub(crate) fn in_child(body: impl FnOnce()) {
    if let Err(story) = try_in_child(body) {
        panic!("{story}");
    }
}

/// The same, and tells what went wrong in the child.
pub(crate) fn try_in_child(body: impl FnOnce()) -> Result<(), String> {
    report_panics_of_children();
    let mut ends = [0; 2];
    // SAFETY: room for two descriptors is passed.
    assert_eq!(unsafe { libc::pipe(ends.as_mut_ptr()) }, 0);
    // SAFETY: just opened, and owned by nobody else.
    let from_child = unsafe { OwnedFd::from_raw_fd(ends[0]) };
    // SAFETY: as above.
    let to_parent = unsafe { OwnedFd::from_raw_fd(ends[1]) };
    // SAFETY: the child runs `body` and ends without returning. That it may
    // allocate and start threads is what the C library's fork provides for.
    match unsafe { libc::fork() } {
        -1 => panic!("fork failed: {}", std::io::Error::last_os_error()),
        0 => {
            // SAFETY: takes a number; the signal kills whoever hangs.
            unsafe { libc::alarm(DEADLINE_S) };
            REPORT_TO.store(to_parent.as_raw_fd(), SeqCst);
            let worked = std::panic::catch_unwind(AssertUnwindSafe(body)).is_ok();
            // SAFETY: ends the process at once, with nothing of the parent's run.
            unsafe { libc::_exit(i32::from(!worked)) }
        }
        child => {
            drop(to_parent);
            let mut story = String::new();
            std::fs::File::from(from_child)
                .read_to_string(&mut story)
                .expect("panic messages are text");
            let mut status = 0;
            // SAFETY: our own child, waited for once.
            assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
            if libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0 {
                Ok(())
            } else if libc::WIFSIGNALED(status) && libc::WTERMSIG(status) == libc::SIGALRM {
                Err(format!("the child hung. {story}"))
            } else {
                Err(format!("the child ended with status {status:#x}. {story}"))
            }
        }
    }
}

fn report_panics_of_children() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let fd = REPORT_TO.load(SeqCst);
            if fd < 0 {
                return usual(info);
            }
            // SAFETY: the pipe stays open until the child ends.
            let fd = unsafe { OwnedFd::from_raw_fd(fd) };
            let mut pipe = std::mem::ManuallyDrop::new(std::fs::File::from(fd));
            let _ = writeln!(pipe, "{info}");
        }));
    });
}

/// Runs `body` in a fresh process: this test binary started again for the test
/// `name`, which must call this function and do nothing else.
#[track_caller]
pub(crate) fn in_fresh_process(name: &str, body: impl FnOnce()) {
    match rerun(name) {
        None => {
            // SAFETY: takes a number; the signal kills whoever hangs.
            unsafe { libc::alarm(DEADLINE_S) };
            body();
        }
        Some(output) => assert!(
            output.status.success(),
            "{}\n{}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        ),
    }
}

/// Starts this binary again for the test `name` alone, and returns what became
/// of it; `None` in that process.
pub(crate) fn rerun(name: &str) -> Option<std::process::Output> {
    const MARK: &str = "SMR_TESTS_RERUN";
    if std::env::var_os(MARK).is_some_and(|of| of == *name) {
        return None;
    }
    let this = std::env::current_exe().expect("the test binary has a path");
    let output = Command::new(this)
        .args([name, "--exact", "--nocapture", "--test-threads=1"])
        .env(MARK, name)
        .output()
        .expect("the test binary starts");
    let ran = String::from_utf8_lossy(&output.stdout).contains("running 1 test");
    assert!(ran, "no test is named {name}");
    Some(output)
}
