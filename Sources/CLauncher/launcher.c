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

// Signals arrive as bytes in a pipe. Not through signalfd(2): that needs every thread to block them, and the Swift
// runtime has threads of its own.
static int signal_pipe[2];

static void note_signal(int number) {
    unsigned char byte = (unsigned char)number;
    int saved = errno;
    if (write(signal_pipe[1], &byte, 1) < 0) {}  // A full pipe has been seen to already.
    errno = saved;
}

// Changed in the child after the fork, where setenv is not allowed.
static char listen_pid[] = "LISTEN_PID=0000000000";

static void set_limit(int resource, int64_t value) {
    struct rlimit limit;
    if (getrlimit(resource, &limit) != 0) return;
    rlim_t wanted = (rlim_t)value;
    if (limit.rlim_max == RLIM_INFINITY || wanted < limit.rlim_max) limit.rlim_max = wanted;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(resource, &limit);
}

// ThreadSanitizer's shadow memory alone is terabytes of private memory.
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

// Runs in the child, and does not return.
static void become(char *const command[], const struct launcher_limits *limits, pid_t launcher, int is_plugin) {
    setpgid(0, 0);
    // The launcher waits in the thread that forked, so this is its death and not that of another thread.
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

// The parent of a process, from proc_pid_stat(5); 0 if it is gone.
static pid_t parent_of(const char *pid) {
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    ssize_t count = read(file, text, sizeof text - 1);
    close(file);
    if (count <= 0) return 0;
    text[count] = 0;
    // The name in parentheses may hold anything, parentheses too.
    char *end = strrchr(text, ')');
    int parent = 0;
    return end != NULL && sscanf(end + 1, " %*c %d", &parent) == 1 ? parent : 0;
}

static void kill_children(void) {
    pid_t self = getpid();
    DIR *processes = opendir("/proc");
    if (processes == NULL) return;
    for (struct dirent *entry; (entry = readdir(processes)) != NULL;) {
        if (isdigit((unsigned char)entry->d_name[0]) && parent_of(entry->d_name) == self) {
            kill((pid_t)atoi(entry->d_name), SIGKILL);
        }
    }
    closedir(processes);
}

// Whoever loses its parent becomes ours, so this ends when nobody is left.
static void kill_descendants(void) {
    do kill_children();
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR);
}

// Takes in whoever has ended. Returns whether the command is among them.
static int reap(pid_t child, int *code) {
    int status, is_over = 0;
    for (pid_t ended; (ended = waitpid(-1, &status, WNOHANG)) > 0;) {
        if (ended != child) continue;
        is_over = 1;
        *code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }
    return is_over;
}

static int watch(pid_t child, int parent) {
    // Of a pipe that nobody reads any more, poll tells POLLERR without being asked.
    struct pollfd events[] = {{signal_pipe[0], POLLIN, 0}, {parent, POLLIN, 0}, {2, 0, 0}};
    for (;;) {
        if (poll(events, 3, -1) < 0) continue;
        if (events[1].revents != 0 || (events[2].revents & POLLERR) != 0) return STOPPED;
        unsigned char number;
        int code = 0;
        if (read(signal_pipe[0], &number, 1) != 1) continue;
        if (number != SIGCHLD) return STOPPED;
        if (reap(child, &code)) return code;
    }
}

static void catch_signals(void) {
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};
    struct sigaction action = {.sa_handler = note_signal, .sa_flags = SA_RESTART};
    sigset_t mine;
    sigemptyset(&mine);
    for (size_t place = 0; place < sizeof numbers / sizeof *numbers; place++) {
        sigaction(numbers[place], &action, NULL);
        sigaddset(&mine, numbers[place]);
    }
    pthread_sigmask(SIG_UNBLOCK, &mine, NULL);
}

static int is_socket(int descriptor) {
    struct stat status;
    return fstat(descriptor, &status) == 0 && S_ISSOCK(status.st_mode);
}

// What belongs to the daemon's own conversation with systemd, and what the command is told instead.
static void set_environment(int is_plugin) {
    static const char *const own[] = {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS",
                                      "LISTEN_FDNAMES", "LISTEN_PID", "JOURNAL_STREAM"};
    for (size_t place = 0; place < sizeof own / sizeof *own; place++) unsetenv(own[place]);
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
    if (child == 0) become(command, limits, launcher, is_plugin);
    if (child < 0) {
        dprintf(2, "cannot start %s: %s\n", command[0], strerror(errno));
        return NOT_FOUND;
    }
    // The other ends have to see when the command closes its own.
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    dup2(null, 0);
    dup2(null, 1);
    int code = watch(child, parent_end);
    kill_descendants();
    return code;
}

int launcher_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }
