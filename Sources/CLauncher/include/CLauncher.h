#ifndef CLAUNCHER_H
#define CLAUNCHER_H

#include <stdint.h>

// Runs one command as a child that cannot outlive its parent. In C, because Swift may not fork, and because only the
// simplest calls are allowed between fork and exec.

struct launcher_limits {
    // Bytes of private memory a process may have (RLIMIT_DATA); 0 for no limit.
    int64_t memory;
    // Descriptors a process may have open.
    int64_t files;
    // Processes and threads of this user that there may be when another is made; not kept from root (getrlimit(2)).
    int64_t processes;
    // Added to the priority, 0 to 19.
    int32_t niceness;
    // Where the command runs; NULL for here.
    const char *directory;
};

// Starts `command`, found through PATH, and waits.
//
// If stdin is a socket, the command gets it as descriptor 3 with LISTEN_FDS, LISTEN_FDNAMES and LISTEN_PID as
// sd_listen_fds(3) has them, and /dev/null as stdin; else stdin stays. Stdout and stderr stay. Nothing else is open.
//
// When the command ends, the parent ends, SIGTERM, SIGINT or SIGHUP comes, or nobody reads stderr's pipe any more, every
// descendant is killed.
//
// Returns the command's exit code, 128 plus the signal that ended it, or 143 if it was not let end.
int launcher_run(char *const command[], const struct launcher_limits *limits);

// A pipe whose ends no child inherits by accident: pipe2(2) with O_CLOEXEC. Returns 0, or -1 with errno.
int launcher_pipe(int ends[2]);

#endif
