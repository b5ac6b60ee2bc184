#include "CInvocation.h"

#include <stddef.h>

static int count;
static char *const *arguments;

// glibc hands its own copies to every initializer, as to main.
__attribute__((constructor)) static void keep(int argc, char *argv[]) {
    count = argc;
    arguments = argv;
}

int invocation_count(void) { return count; }

const char *invocation_argument(int place) { return place >= 0 && place < count ? arguments[place] : NULL; }
