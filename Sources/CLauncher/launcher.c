#define _GNU_SOURCE
#include "CLauncher.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SOCKET = 3, STOPPED = 128 + SIGTERM, NOT_FOUND = 127 };

// Signals arrive as bytes in a pipe. signalfd(2) would need every thread to block them, and the Swift runtime has
// threads of its own.
static int signal_pipe[2];

static void forward_signal(int number) {
    unsigned char byte = (unsigned char)number;
    int saved = errno;
    if (write(signal_pipe[1], &byte, 1) < 0) {}  // A full pipe already wakes the reader.
    errno = saved;
}

// Written in the child after the fork, where setenv is not allowed.
static char listen_pid[] = "LISTEN_PID=0000000000";

static void set_limit(int resource, int64_t value) {
    struct rlimit limit;
    if (getrlimit(resource, &limit) != 0) return;
    rlim_t wanted = (rlim_t)value;
    if (limit.rlim_max == RLIM_INFINITY || wanted < limit.rlim_max) limit.rlim_max = wanted;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(resource, &limit);
}

// ThreadSanitizer's shadow memory alone takes terabytes of private memory.
#if defined(__has_feature) && __has_feature(thread_sanitizer)
enum { LIMITS_MEMORY = 0 };
#else
enum { LIMITS_MEMORY = 1 };
#endif

static void set_limits(const struct launcher_limits *limits) {
    if (LIMITS_MEMORY && limits->memory > 0) set_limit(RLIMIT_DATA, limits->memory);
    set_limit(RLIMIT_NOFILE, limits->files);
    set_limit(RLIMIT_NPROC, limits->processes);
    set_limit(RLIMIT_CORE, 0);
    if (limits->niceness > 0) setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + limits->niceness);
}

static void write_own_pid(void) {
    pid_t pid = getpid();
    char digits[10];
    int count = 0;
    for (; pid > 0 && count < 10; pid /= 10) digits[count++] = (char)('0' + pid % 10);
    char *end = strchr(listen_pid, '=') + 1;
    while (count > 0) *end++ = digits[--count];
    *end = 0;
}

// Runs in the child and does not return.
static void exec_command(char *const command[], const struct launcher_limits *limits, pid_t launcher, int is_plugin) {
    setpgid(0, 0);
    // PR_SET_PDEATHSIG reports the death of the thread that forked; the launcher waits in that thread, so it is the
    // launcher's own.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != launcher) _exit(STOPPED);
    for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (is_plugin) {
        if (dup2(0, SOCKET) < 0) _exit(NOT_FOUND);
        int null = open("/dev/null", O_RDONLY);
        if (null < 0 || dup2(null, 0) < 0) _exit(NOT_FOUND);
        write_own_pid();
    }
    close_range(is_plugin ? SOCKET + 1 : SOCKET, ~0U, 0);
    set_limits(limits);
    if (limits->directory != NULL && chdir(limits->directory) != 0) {
        dprintf(2, "cannot go to %s: %s\n", limits->directory, strerror(errno));
        _exit(NOT_FOUND);
    }
    execvp(command[0], command);
    dprintf(2, "cannot run %s: %s\n", command[0], strerror(errno));
    _exit(NOT_FOUND);
}

// Part of proc_pid_stat(5).
struct process_info {
    char state;
    pid_t parent, group, session;
};

// Returns 0 if the process is gone.
static int read_info(int processes, const char *pid, struct process_info *found) {
    char path[32], text[512];
    snprintf(path, sizeof path, "%.20s/stat", pid);
    int file = openat(processes, path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    ssize_t count = read(file, text, sizeof text - 1);
    close(file);
    if (count <= 0) return 0;
    text[count] = 0;
    // The name in parentheses may contain anything, including parentheses.
    char *end = strrchr(text, ')');
    return end != NULL && sscanf(end + 1, " %c %d %d %d", &found->state, &found->parent, &found->group,
                                 &found->session) == 4;
}

// Process ids are always below this (proc_sys_kernel(5), pid_max).
enum { PROCESSES_MAX = 1 << 22 };
static unsigned char descendants[PROCESSES_MAX / 8];

static int is_descendant(pid_t pid) {
    return pid > 0 && pid < PROCESSES_MAX && (descendants[pid / 8] >> pid % 8 & 1) != 0;
}

static void mark_descendant(pid_t pid) {
    if (pid > 0 && pid < PROCESSES_MAX) descendants[pid / 8] |= (unsigned char)(1 << pid % 8);
}

// Processes whose parents were not known to be descendants when they were read.
enum { UNRELATED_MAX = 16384 };
static struct {
    pid_t pid;
    struct process_info found;
} unrelated[UNRELATED_MAX];

// Marks and signals a descendant. Returns whether it was still running.
static int signal_descendant(pid_t pid, const struct process_info *found, int number) {
    mark_descendant(pid);
    if (number == SIGSTOP && strchr("TZX", found->state) != NULL) return 0;
    // A session other than ours contains only descendants, and so do its process groups.
    if (found->group != pid && found->session != getsid(0)) kill(-found->group, number);
    kill(pid, number);
    return 1;
}

// Signals every descendant that one scan of /proc finds, and returns how many of them were still running. /proc lists
// processes by number, so parents mostly come before their children, and processes forked meanwhile come last.
static int signal_descendants(int number) {
    int running = 0, count = 0, is_new = 1;
    memset(descendants, 0, sizeof descendants);
    mark_descendant(getpid());
    DIR *processes = opendir("/proc");
    if (processes == NULL) return 0;
    for (struct dirent *entry; (entry = readdir(processes)) != NULL;) {
        struct process_info found;
        if (!isdigit((unsigned char)entry->d_name[0]) || !read_info(dirfd(processes), entry->d_name, &found)) continue;
        pid_t pid = (pid_t)atoi(entry->d_name);
        if (is_descendant(found.parent)) {
            running += signal_descendant(pid, &found, number);
        } else if (count < UNRELATED_MAX) {
            unrelated[count].pid = pid;
            unrelated[count++].found = found;
        }
    }
    closedir(processes);
    // Process ids wrap around, so children may have come before their parents.
    while (is_new) {
        is_new = 0;
        for (int index = 0; index < count; index++) {
            if (is_descendant(unrelated[index].pid) || !is_descendant(unrelated[index].found.parent)) continue;
            running += signal_descendant(unrelated[index].pid, &unrelated[index].found, number);
            is_new = 1;
        }
    }
    return running;
}

// Kills until no descendant is left. Orphans are reparented to us, so in the end all that remain are our children.
//
// `child` is not reaped yet, so its process group id cannot be reused. The kernel signals a group atomically: nobody in
// it can fork away, however many there are. The others are stopped before they are killed: otherwise each that is gone
// would let another fork under the process limit.
static void kill_descendants(pid_t child) {
    kill(-child, SIGKILL);
    for (int pass = 0; pass < 16 && signal_descendants(SIGSTOP) > 0; pass++) {}
    for (int pause_ms = 1;; pause_ms = pause_ms < 32 ? pause_ms * 2 : pause_ms) {
        signal_descendants(SIGKILL);
        pid_t ended;
        while ((ended = waitpid(-1, NULL, WNOHANG)) > 0 || (ended < 0 && errno == EINTR)) {}
        if (ended < 0) return;
        poll(NULL, 0, pause_ms);
    }
}

// Reaps children that have ended, except the command, which keeps its process id. Returns whether it has ended, and in
// `more` whether there may be others: a stream of short-lived children must not keep us from other events.
static int reap(pid_t child, int *code, int *more) {
    for (int count = 0; count < 64; count++) {
        siginfo_t ended = {.si_pid = 0};
        *more = waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid != 0;
        if (!*more) return 0;
        if (ended.si_pid == child) {
            *code = ended.si_code == CLD_EXITED ? ended.si_status : 128 + ended.si_status;
            return 1;
        }
        waitpid(ended.si_pid, NULL, 0);
    }
    return 0;
}

static int watch(pid_t child, int parent) {
    // poll reports POLLERR for a pipe without readers even if no events are requested.
    struct pollfd events[] = {{signal_pipe[0], POLLIN, 0}, {parent, POLLIN, 0}, {2, 0, 0}};
    int more = 0;
    for (;;) {
        if (poll(events, 3, more ? 0 : -1) < 0) continue;
        if (events[1].revents != 0 || (events[2].revents & POLLERR) != 0) return STOPPED;
        unsigned char number;
        int code = 0;
        int is_signal = read(signal_pipe[0], &number, 1) == 1;
        if (is_signal && number != SIGCHLD) return STOPPED;
        if ((is_signal || more) && reap(child, &code, &more)) return code;
    }
}

static void catch_signals(void) {
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};
    struct sigaction action = {.sa_handler = forward_signal, .sa_flags = SA_RESTART};
    sigset_t mine;
    sigemptyset(&mine);
    for (size_t index = 0; index < sizeof numbers / sizeof *numbers; index++) {
        sigaction(numbers[index], &action, NULL);
        sigaddset(&mine, numbers[index]);
    }
    pthread_sigmask(SIG_UNBLOCK, &mine, NULL);
}

static int is_socket(int descriptor) {
    struct stat status;
    return fstat(descriptor, &status) == 0 && S_ISSOCK(status.st_mode);
}

// Removes the variables of the daemon's own communication with systemd, and sets those for the command.
static void set_environment(int is_plugin) {
    static const char *const own[] = {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS",
                                      "LISTEN_FDNAMES", "LISTEN_PID", "JOURNAL_STREAM"};
    for (size_t index = 0; index < sizeof own / sizeof *own; index++) unsetenv(own[index]);
    if (!is_plugin) return;
    setenv("LISTEN_FDS", "1", 1);
    setenv("LISTEN_FDNAMES", "varlink", 1);
    putenv(listen_pid);
}

int launcher_run(char *const command[], const struct launcher_limits *limits) {
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid_t parent = getppid();
    int parent_end = (int)syscall(SYS_pidfd_open, parent, 0);
    if (parent_end < 0 || getppid() != parent) return STOPPED;
    int is_plugin = is_socket(0);
    set_environment(is_plugin);
    if (pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK) != 0) return NOT_FOUND;
    catch_signals();
    pid_t launcher = getpid();
    pid_t child = fork();
    if (child == 0) exec_command(command, limits, launcher, is_plugin);
    if (child < 0) {
        dprintf(2, "cannot start %s: %s\n", command[0], strerror(errno));
        return NOT_FOUND;
    }
    // The launcher sleeps until the end, and then must get CPU time among all that the command may have started. Fails
    // without the privilege.
    setpriority(PRIO_PROCESS, 0, -20);
    // The peers must notice when the command closes its streams.
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    dup2(null, 0);
    dup2(null, 1);
    int code = watch(child, parent_end);
    kill_descendants(child);
    return code;
}

int launcher_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }
