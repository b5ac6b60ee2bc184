#include "CMemory.h"

// Defines __GLIBC__ if this is glibc.
#include <stdlib.h>

#ifdef __GLIBC__
#include <malloc.h>

void configure_allocator(void) {
    // Readings move from thread to thread; with an arena per thread, freed memory stays in arenas that no longer need
    // it. With only two arenas the writer waits for a shard's lock in every commit.
    mallopt(M_ARENA_MAX, 4);
    // A journal that is being sealed, or the histories of a promotion, take megabytes for a short time. By default the
    // allocator treats the first large block that is freed as the norm, raises this threshold, and takes the next ones
    // from the heap, where they leave holes.
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
    // Setting one threshold freezes the other at 128 KiB: the heap would be trimmed so often that the writer's next
    // commit had to fault in every page anew.
    mallopt(M_TRIM_THRESHOLD, 32 << 20);
}

void release_freed_memory(void) { malloc_trim(0); }
#else
void configure_allocator(void) {}
void release_freed_memory(void) {}
#endif
