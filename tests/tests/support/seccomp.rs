//! Systems that refuse a call.

/// From now on this thread, and those that it starts, are refused membarrier.
pub(crate) fn refuse_membarrier() {
    refuse_membarrier_with(libc::EPERM);
}

/// The same with an error of choice: a kernel that has no such call says `ENOSYS`.
pub(crate) fn refuse_membarrier_with(error: libc::c_int) {
    let refusal = libc::SECCOMP_RET_ERRNO | error as u32;
    let op = |code: u32, jt, jf, k| libc::sock_filter {
        code: code as u16,
        jt,
        jf,
        k,
    };
    let filter = [
        // The number of the call is the first word of what a filter sees.
        op(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0),
        op(
            libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K,
            0,
            1,
            libc::SYS_membarrier as u32,
        ),
        op(libc::BPF_RET | libc::BPF_K, 0, 0, refusal),
        op(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog {
        len: filter.len() as u16,
        filter: filter.as_ptr().cast_mut(),
    };
    // SAFETY: takes numbers.
    let done = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    assert_eq!(done, 0, "{}", std::io::Error::last_os_error());
    // SAFETY: the program and its instructions are alive, and only read.
    let done = unsafe {
        libc::prctl(
            libc::PR_SET_SECCOMP,
            libc::SECCOMP_MODE_FILTER,
            &raw const program,
        )
    };
    assert_eq!(done, 0, "{}", std::io::Error::last_os_error());
    // SAFETY: takes numbers; it is what is refused.
    let refused = unsafe { libc::syscall(libc::SYS_membarrier, 0, 0, 0) };
    assert_eq!(refused, -1, "the filter works");
    let said = std::io::Error::last_os_error().raw_os_error();
    assert_eq!(said, Some(error));
}
