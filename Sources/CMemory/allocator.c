#include "CMemory.h"

// Says whether it is glibc.
#include <stdlib.h>

#ifdef __GLIBC__
#include <malloc.h>

void settle_allocator(void) {
    // Readings wander from thread to thread; with an arena for each, freed memory stays where nobody asks for it. With two
    // the writer waits for a shard's lock in every commit.
    mallopt(M_ARENA_MAX, 4);
    // A journal that is sealed, or the histories of a promotion, are megabytes for a moment. Left to itself, the allocator
    // takes the first of them for the custom, and the next ones from where they leave holes.
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
    // Set one by hand, and the other stays at 128 KiB: the writer's next commit would get every page anew.
    mallopt(M_TRIM_THRESHOLD, 32 << 20);
}

void give_back_freed_memory(void) { malloc_trim(0); }
#else
void settle_allocator(void) {}
void give_back_freed_memory(void) {}
#endif
