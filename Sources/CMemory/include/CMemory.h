// What Swift has no word for: memory asked for before it is needed, and the C library's allocator.
#ifndef C_MEMORY_H
#define C_MEMORY_H
#include <stddef.h>

// Starts to bring the cache lines of `count` bytes from `start` nearer, without waiting for them. Any address will do.
static inline void prefetch_bytes(const void *_Nullable start, ptrdiff_t count) {
    const char *address = (const char *)start;
    for (ptrdiff_t offset = 0; offset < count; offset += 64) __builtin_prefetch(address + offset, 1);
}

// Once, before the first thread begins: freed memory is to be found by every thread, and what was large goes back.
void settle_allocator(void);

// Gives the memory that was freed and not taken again back to the system. Takes up to some ten milliseconds, in which
// other threads that allocate may wait.
void give_back_freed_memory(void);

#endif
