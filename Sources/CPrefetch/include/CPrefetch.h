// Asks for memory before it is needed.
#ifndef C_PREFETCH_H
#define C_PREFETCH_H
#include <stddef.h>

// Starts to bring the cache lines of `count` bytes from `start` nearer, without waiting for them. Any address will do.
static inline void prefetch_bytes(const void *_Nullable start, ptrdiff_t count) {
    const char *address = (const char *)start;
    for (ptrdiff_t offset = 0; offset < count; offset += 64) __builtin_prefetch(address + offset, 1);
}

#endif
