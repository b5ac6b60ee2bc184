#ifndef CLAUNCHER_H
#define CLAUNCHER_H

#include <stdint.h>

// Runs one command as a child that cannot outlive its parent. In C, because Swift cannot fork and only
// async-signal-safe calls are allowed between fork and exec.

struct launcher_limits {
    // Maximum private memory of a process, in bytes (RLIMIT_DATA); 0 for no limit.
    int64_t memory;
    // Maximum number of open descriptors of a process (RLIMIT_NOFILE).
    int64_t files;
    // Maximum number of processes and threads of this user when another is created (RLIMIT_NPROC); does not apply to
    // root (getrlimit(2)).
    int64_t processes;
    // Added to the nice value, 0 to 19.
    int32_t niceness;
    // Working directory of the command; NULL for the current one.
    const char *directory;
};

// Starts `command`, found through PATH, and waits for it.
//
// If stdin is a socket, the command gets it as descriptor 3 with LISTEN_FDS, LISTEN_FDNAMES and LISTEN_PID as in
// sd_listen_fds(3), and /dev/null as stdin; otherwise it inherits stdin. It inherits stdout and stderr, and no other
// descriptor.
//
// Every descendant is killed when the command ends, the parent ends, SIGTERM, SIGINT or SIGHUP arrives, or nobody reads
// stderr's pipe any more.
//
// Returns the command's exit code, 128 plus the signal that ended it, or 143 if it was killed before it ended.
int launcher_run(char *const command[], const struct launcher_limits *limits);

// Creates a pipe whose ends no child inherits by accident: pipe2(2) with O_CLOEXEC. Returns 0, or -1 with errno.
int launcher_pipe(int ends[2]);

#endif
