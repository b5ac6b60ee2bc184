#include "CInvocation.h"

#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

static int count;
static char *const *arguments;

// glibc hands its own copies to every initializer, as to main.
__attribute__((constructor)) static void keep(int argc, char *argv[]) {
    count = argc;
    arguments = argv;
}

// Before the runtime opens anything: what gets number 2 is standard error, into which the log is written.
__attribute__((constructor)) static void open_standard_streams(void) {
    int file;
    while ((file = open("/dev/null", O_RDWR)) >= 0) {
        if (file > STDERR_FILENO) {
            close(file);
            return;
        }
    }
}

int invocation_count(void) { return count; }

const char *invocation_argument(int place) { return place >= 0 && place < count ? arguments[place] : NULL; }
