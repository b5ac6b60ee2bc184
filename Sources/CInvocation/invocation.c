#include "CInvocation.h"

#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

static int count;
static char *const *arguments;

// glibc passes the arguments to every initializer, as to main.
__attribute__((constructor)) static void keep(int argc, char *argv[]) {
    count = argc;
    arguments = argv;
}

// Runs before the runtime opens anything: a file that got descriptor 2 would be taken for standard error, and the log
// written into it.
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

const char *invocation_argument(int index) { return index >= 0 && index < count ? arguments[index] : NULL; }
