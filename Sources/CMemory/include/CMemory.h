// What Swift cannot express: prefetching, and tuning the C library's allocator.
#ifndef C_MEMORY_H
#define C_MEMORY_H
#include <stddef.h>

// Prefetches the cache lines of `count` bytes from `start` without waiting for them. Any address is allowed.
static inline void prefetch_bytes(const void *_Nullable start, ptrdiff_t count) {
    const char *address = (const char *)start;
    for (ptrdiff_t offset = 0; offset < count; offset += 64) __builtin_prefetch(address + offset, 1);
}

// Configures the allocator so that every thread can reuse freed memory and large blocks go back to the system. Call
// once, before the first thread starts.
void configure_allocator(void);

// Returns freed memory that is not in use again to the system. Takes up to some ten milliseconds, during which other
// threads that allocate may wait.
void release_freed_memory(void);

#endif
