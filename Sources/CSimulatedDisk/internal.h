/*
 * What the parts of the simulated disk share: its structures, and the operations below plain file access and the VFS.
 * Functions that return int return an SQLite result code unless they say otherwise.
 */
#ifndef SIMULATED_DISK_INTERNAL_H
#define SIMULATED_DISK_INTERNAL_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

#include "simulated_disk.h"

/* The unit that a power loss keeps or loses as a whole, in bytes. */
#define SECTOR 512

/* ---- Randomness ---- */

/* A splitmix64 generator: any seed is a good one, and equal seeds give equal numbers everywhere. */
typedef struct {
    uint64_t state;
} Generator;

static inline uint64_t generator_next(Generator *generator) {
    uint64_t mixed = generator->state += UINT64_C(0x9E3779B97F4A7C15);
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94D049BB133111EB);
    return mixed ^ (mixed >> 31);
}

/* Returns a number below the limit, which must not be 0. The bias of the remainder is far below anything tested. */
static inline uint64_t generator_below(Generator *generator, uint64_t limit) {
    return generator_next(generator) % limit;
}

/* Returns the generator of one of several streams that share a seed without sharing numbers. */
static inline Generator generator_make(uint64_t seed, uint64_t stream) {
    Generator mixer = {seed ^ (stream * UINT64_C(0xD1B54A32D192ED03))};
    Generator result = {generator_next(&mixer)};
    return result;
}

/* ---- Memory ---- */

/* Like realloc and strdup, but abort when there is no memory. */
void *memory_resize(void *old, size_t bytes);
char *memory_copy_text(const char *text);

/* Makes room in a growing array for one more element of the size. Grows it by half at least. */
void *memory_reserve(void *array, size_t count, size_t *capacity, size_t element);

/* ---- Files ---- */

/* The content of a sector before a write. Versions of a sector form a list from the newest to the durable one. */
typedef struct {
    uint32_t older; /* The index, plus 1, of the version before; 0: this is the durable one. */
    uint32_t image; /* The index, plus 1, of the bytes; 0: zeros, since the file did not reach this far. */
    uint32_t cut;   /* The number, from 1, of the shrinking that replaced this version; 0: a write did. */
} Version;

/* A size before a change of size, and how many shrinkings since the last sync had led to it. */
typedef struct {
    int64_t size;
    uint32_t cuts;
} SizeVersion;

/* The memory that connections share for the index of a write-ahead log. Outlives the file if a dead handle maps it. */
typedef struct {
    int references;
    int region_count;
    void **regions;
} SharedMemory;

typedef struct {
    uint64_t inode;
    char *path;         /* NULL while the file has no name. */
    int references;     /* Its name, its open handles and the pending changes of names that mention it. */
    int temporary;      /* No name, no faults, no versions. */
    int name_durable;
    SharedMemory *shared;

    /* Visible content. Bytes from the size to the capacity, a multiple of SECTOR, are zeros. */
    uint8_t *bytes;
    int64_t size;
    int64_t capacity;

    /* Since the last sync: per sector its newest older version (index plus 1; 0: clean), and which have one. */
    uint32_t *newest;
    uint32_t *dirty;
    size_t dirty_count, dirty_capacity;
    Version *versions;
    size_t version_count, version_capacity;
    uint8_t *images;
    size_t image_count, image_capacity;
    /* The sizes before each change of size; the first is the durable one. And how many changes were shrinkings. */
    SizeVersion *sizes;
    size_t size_count, size_capacity;
    uint32_t cuts;
} SimulatedFile;

SimulatedFile *file_create(uint64_t inode);
SimulatedFile *file_copy(const SimulatedFile *file);
void file_release(SimulatedFile *file);

/* Change the visible content. SQLITE_FULL beyond the largest size, else SQLITE_OK; bounds must not be negative. */
int file_write(SimulatedFile *file, int64_t offset, const void *bytes, int64_t count);
int file_truncate(SimulatedFile *file, int64_t size);

/* Returns how many bytes there were to read. */
int64_t file_read(const SimulatedFile *file, int64_t offset, void *buffer, int64_t count);

/* Makes the visible content durable. */
void file_harden(SimulatedFile *file);

/* Replaces the visible content by what a power loss leaves; without a generator, that is the durable content. */
void file_lose(SimulatedFile *file, Generator *generator);

/* Flips a bit of a visible byte in all versions. */
void file_flip(SimulatedFile *file, int64_t offset, int bit);

/* ---- The disk ---- */

/* A removal (no new path) or renaming that a power loss may undo. */
typedef struct {
    SimulatedFile *file;
    SimulatedFile *replaced; /* The file that had the new path, or NULL. */
    char *from;
    char *to;
} NameChange;

typedef struct {
    uint64_t calls, fired, after, count;
} FaultPlan;

typedef struct SimulatedHandle SimulatedHandle;

struct SimulatedDisk {
    uint64_t next_inode;
    SimulatedFile **files; /* In the order of their paths. */
    size_t file_count, file_capacity;
    NameChange *changes; /* Oldest first. */
    size_t change_count, change_capacity;
    SimulatedHandle *handles;

    uint64_t capacity;
    int64_t time;
    int characteristics;
    uint64_t delay;
    int last_error;
    FaultPlan faults[SIMULATED_FAULT_KINDS];
    int faults_suspended;
    Generator randomness, delays, lengths;
};

/* Returns the file of that name, or NULL. */
SimulatedFile *disk_find(const SimulatedDisk *disk, const char *path);

/* Gives back a new, empty file of that name, which must be free; or fails with SQLITE_CANTOPEN if the path is bad. */
int disk_create(SimulatedDisk *disk, const char *path, SimulatedFile **result);

int disk_path_is_valid(const char *path);
void disk_remove(SimulatedDisk *disk, SimulatedFile *file);
void disk_rename(SimulatedDisk *disk, SimulatedFile *file, const char *to);

/* Makes removals and renames durable. */
void disk_harden_changes(SimulatedDisk *disk);

/* Returns the capacity used, in bytes. */
uint64_t disk_used(const SimulatedDisk *disk);

/* The operations on open files, with faults and limits, which temporary files are free of. */
int disk_read(
    SimulatedDisk *disk, const SimulatedFile *file, int64_t offset, void *buffer, int64_t count, int64_t *got);
int disk_write(SimulatedDisk *disk, SimulatedFile *file, int64_t offset, const void *bytes, int64_t count);
int disk_truncate(SimulatedDisk *disk, SimulatedFile *file, int64_t size);
int disk_sync(SimulatedDisk *disk, SimulatedFile *file);

/* ---- Faults: these count the call and return whether, or how, it has to fail ---- */

/* Says whether the kind is due at this call, which it counts. Delivering it is a second step. */
int fault_is_due(SimulatedDisk *disk, SimulatedFault kind);
void fault_deliver(SimulatedDisk *disk, SimulatedFault kind);

/* Both steps at once. */
int fault_strikes(SimulatedDisk *disk, SimulatedFault kind);

/* ---- Handles ---- */

/* What SQLite knows as an sqlite3_file. A dead handle has neither disk nor file, but may keep shared memory. */
struct SimulatedHandle {
    sqlite3_file base;
    SimulatedDisk *disk;
    SimulatedFile *file;
    SimulatedHandle *next, *previous;
    const char *path; /* Belongs to SQLite, which keeps it until the handle is closed. NULL for temporary files. */
    SharedMemory *shared;
    unsigned shared_slots, exclusive_slots; /* Bits of the slots of shared memory that this connection locked. */
    int lock;                               /* SQLITE_LOCK_ */
    int read_only;
    int persist_wal;
    int chunk; /* Grow the file by multiples of so many bytes; 0: do not. */
};

/* Ties a handle to an open file of the disk. */
void handle_open(SimulatedHandle *handle, SimulatedDisk *disk, SimulatedFile *file, const char *path);

/* Takes the handle from its disk, and its locks away: it is dead from here on. */
void handle_detach(SimulatedHandle *handle);

/* Detaches all handles of a disk whose process dies. */
void handle_kill_all(SimulatedDisk *disk);

/* Drops one reference; NULL is allowed. */
void shared_memory_release(SharedMemory *shared);

/* Take part in xShmMap, xShmLock, xShmBarrier and xShmUnmap. */
int shared_memory_map(sqlite3_file *base, int region, int bytes, int extend, void volatile **result);
int shared_memory_lock(sqlite3_file *base, int first, int count, int flags);
void shared_memory_barrier(sqlite3_file *base);
int shared_memory_unmap(sqlite3_file *base, int delete_it);

#endif
