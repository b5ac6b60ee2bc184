/*
 * The shared memory in which connections keep the index of a write-ahead log, and its locks. It lives in this
 * process, as long as any connection of the file uses it.
 */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

void shared_memory_release(SharedMemory *shared) {
    if (!shared || --shared->references > 0) return;
    for (int region = 0; region < shared->region_count; region++) free(shared->regions[region]);
    free(shared->regions);
    free(shared);
}

/* Makes the handle a user of its file's shared memory, which the first user creates and the file also refers to. */
static void attach(SimulatedHandle *handle) {
    SimulatedFile *file = handle->file;
    if (!file->shared) {
        file->shared = memory_resize(NULL, sizeof *file->shared);
        *file->shared = (SharedMemory){1, 0, NULL};
    }
    handle->shared = file->shared;
    handle->shared->references++;
}

static void add_region(SharedMemory *shared, size_t bytes) {
    shared->regions = memory_resize(shared->regions, (size_t)(shared->region_count + 1) * sizeof *shared->regions);
    shared->regions[shared->region_count++] = memset(memory_resize(NULL, bytes), 0, bytes);
}

/* SQLite asks for all regions of a file in the same size. */
int shared_memory_map(sqlite3_file *base, int region, int bytes, int extend, void volatile **result) {
    SimulatedHandle *handle = (SimulatedHandle *)base;
    *result = NULL;
    if (!handle->file) return SQLITE_IOERR_SHMMAP;
    if (!handle->shared) attach(handle);
    while (extend && handle->shared->region_count <= region) add_region(handle->shared, (size_t)bytes);
    if (region < handle->shared->region_count) *result = handle->shared->regions[region];
    return SQLITE_OK;
}

/* Says whether another connection's locks exclude this one from the slots. */
static int conflicts(const SimulatedHandle *handle, unsigned slots, int exclusive) {
    for (const SimulatedHandle *other = handle->disk->handles; other; other = other->next) {
        if (other == handle || other->shared != handle->shared) continue;
        unsigned taken = other->exclusive_slots | (exclusive ? other->shared_slots : 0);
        if (taken & slots) return 1;
    }
    return 0;
}

int shared_memory_lock(sqlite3_file *base, int first, int count, int flags) {
    SimulatedHandle *handle = (SimulatedHandle *)base;
    unsigned slots = ((1u << count) - 1) << first;
    if (flags & SQLITE_SHM_UNLOCK) {
        if (flags & SQLITE_SHM_SHARED) handle->shared_slots &= ~slots;
        else handle->exclusive_slots &= ~slots;
        return SQLITE_OK;
    }
    if (!handle->file || !handle->shared) return SQLITE_IOERR_SHMLOCK;
    int exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
    if (conflicts(handle, slots, exclusive)) return SQLITE_BUSY;
    if (exclusive) handle->exclusive_slots |= slots;
    else handle->shared_slots |= slots;
    return SQLITE_OK;
}

/* One thread sees its own writes in order. */
void shared_memory_barrier(sqlite3_file *base) {
    (void)base;
}

/* The memory goes with its last user, so there is nothing to delete apart. */
int shared_memory_unmap(sqlite3_file *base, int delete_it) {
    (void)delete_it;
    SimulatedHandle *handle = (SimulatedHandle *)base;
    SharedMemory *shared = handle->shared;
    if (!shared) return SQLITE_OK;
    handle->shared = NULL;
    handle->shared_slots = handle->exclusive_slots = 0;
    if (handle->file && handle->file->shared == shared && shared->references == 2) {
        handle->file->shared = NULL;
        shared_memory_release(shared);
    }
    shared_memory_release(shared);
    return SQLITE_OK;
}
