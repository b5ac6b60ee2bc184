/*
 * Files that SQLite has open: reading, writing, locking and control. Crashes turn handles dead, and a dead one answers
 * everything but unlocking and closing with an I/O error.
 */
#include <string.h>

#include "internal.h"

static SimulatedHandle *handle_of(sqlite3_file *base) {
    return (SimulatedHandle *)base;
}

/* ---- Opening and closing ---- */

static int close_handle(sqlite3_file *base) {
    shared_memory_unmap(base, 0);
    handle_detach(handle_of(base));
    base->pMethods = NULL;
    return SQLITE_OK;
}

void handle_detach(SimulatedHandle *handle) {
    if (!handle->disk) return;
    if (handle->previous) handle->previous->next = handle->next;
    else handle->disk->handles = handle->next;
    if (handle->next) handle->next->previous = handle->previous;
    handle->next = handle->previous = NULL;
    handle->shared_slots = handle->exclusive_slots = 0;
    handle->lock = SQLITE_LOCK_NONE;
    file_release(handle->file);
    handle->file = NULL;
    handle->disk = NULL;
}

void handle_kill_all(SimulatedDisk *disk) {
    while (disk->handles) {
        /* Dead connections may look at the shared memory until they are closed. New ones must not find it. */
        SimulatedFile *file = disk->handles->file;
        shared_memory_release(file->shared);
        file->shared = NULL;
        handle_detach(disk->handles);
    }
}

/* ---- Content ---- */

static int read_handle(sqlite3_file *base, void *buffer, int count, sqlite3_int64 offset) {
    SimulatedHandle *handle = handle_of(base);
    if (!handle->file || offset < 0 || count < 0) return SQLITE_IOERR_READ;
    int64_t got;
    int result = disk_read(handle->disk, handle->file, offset, buffer, count, &got);
    if (result != SQLITE_OK || got == count) return result;
    memset((char *)buffer + got, 0, (size_t)(count - got));
    return SQLITE_IOERR_SHORT_READ;
}

static int write_handle(sqlite3_file *base, const void *bytes, int count, sqlite3_int64 offset) {
    SimulatedHandle *handle = handle_of(base);
    if (!handle->file || offset < 0 || count < 0) return SQLITE_IOERR_WRITE;
    if (handle->read_only) return SQLITE_READONLY;
    return disk_write(handle->disk, handle->file, offset, bytes, count);
}

/* Returns the size rounded up to the chunk that the file is to grow by. */
static int64_t whole_chunks(const SimulatedHandle *handle, int64_t size) {
    if (handle->chunk <= 0 || size > SIMULATED_DISK_LARGEST_FILE) return size;
    return (size + handle->chunk - 1) / handle->chunk * handle->chunk;
}

static int truncate_handle(sqlite3_file *base, sqlite3_int64 size) {
    SimulatedHandle *handle = handle_of(base);
    if (!handle->file || size < 0) return SQLITE_IOERR_TRUNCATE;
    if (handle->read_only) return SQLITE_READONLY;
    return disk_truncate(handle->disk, handle->file, whole_chunks(handle, size));
}

static int sync_handle(sqlite3_file *base, int flags) {
    (void)flags;
    SimulatedHandle *handle = handle_of(base);
    return handle->file ? disk_sync(handle->disk, handle->file) : SQLITE_IOERR_FSYNC;
}

static int size_of_handle(sqlite3_file *base, sqlite3_int64 *size) {
    SimulatedHandle *handle = handle_of(base);
    if (!handle->file) return SQLITE_IOERR_FSTAT;
    *size = handle->file->size;
    return SQLITE_OK;
}

/* ---- Locks ---- */

/* Returns the strongest lock that other handles hold on the file. */
static int lock_of_others(const SimulatedHandle *handle) {
    int strongest = SQLITE_LOCK_NONE;
    for (const SimulatedHandle *other = handle->disk->handles; other; other = other->next) {
        if (other != handle && other->file == handle->file && other->lock > strongest) strongest = other->lock;
    }
    return strongest;
}

/*
 * Readers share; one of them may reserve the right to write, and then waits, pending, for the others to finish. A
 * pending lock keeps new readers out and stays when the exclusive one cannot be had yet.
 */
static int lock_handle(sqlite3_file *base, int level) {
    SimulatedHandle *handle = handle_of(base);
    if (!handle->file) return SQLITE_IOERR_LOCK;
    if (handle->lock >= level) return SQLITE_OK;
    int others = lock_of_others(handle);
    int excluding = level == SQLITE_LOCK_SHARED ? SQLITE_LOCK_PENDING : SQLITE_LOCK_RESERVED;
    if (others >= excluding) return SQLITE_BUSY;
    if (level == SQLITE_LOCK_EXCLUSIVE && others == SQLITE_LOCK_SHARED) {
        handle->lock = SQLITE_LOCK_PENDING;
        return SQLITE_BUSY;
    }
    handle->lock = level;
    return SQLITE_OK;
}

static int unlock_handle(sqlite3_file *base, int level) {
    SimulatedHandle *handle = handle_of(base);
    if (handle->lock > level) handle->lock = level;
    return SQLITE_OK;
}

static int check_reserved(sqlite3_file *base, int *reserved) {
    SimulatedHandle *handle = handle_of(base);
    *reserved = 0;
    if (!handle->file) return SQLITE_IOERR_CHECKRESERVEDLOCK;
    *reserved = handle->lock >= SQLITE_LOCK_RESERVED || lock_of_others(handle) >= SQLITE_LOCK_RESERVED;
    return SQLITE_OK;
}

/* ---- Control ---- */

/* Grows the file to hold the size, if it grows by chunks; like the Unix VFS, does nothing otherwise. */
static int hint_size(SimulatedHandle *handle, int64_t size) {
    int64_t target = whole_chunks(handle, size);
    if (handle->chunk <= 0 || target <= handle->file->size || handle->read_only) return SQLITE_OK;
    return disk_truncate(handle->disk, handle->file, target);
}

static int has_moved(const SimulatedHandle *handle) {
    return handle->path && disk_find(handle->disk, handle->path) != handle->file;
}

/* Negative asks, 0 and 1 set. */
static void exchange_flag(int *flag, int *argument) {
    if (*argument < 0) *argument = *flag;
    else *flag = *argument != 0;
}

static int control_living(SimulatedHandle *handle, int operation, void *argument) {
    switch (operation) {
    case SQLITE_FCNTL_LOCKSTATE: *(int *)argument = handle->lock; return SQLITE_OK;
    case SQLITE_FCNTL_SIZE_HINT: return hint_size(handle, *(sqlite3_int64 *)argument);
    case SQLITE_FCNTL_CHUNK_SIZE: handle->chunk = *(int *)argument; return SQLITE_OK;
    case SQLITE_FCNTL_HAS_MOVED: *(int *)argument = has_moved(handle); return SQLITE_OK;
    case SQLITE_FCNTL_PERSIST_WAL: exchange_flag(&handle->persist_wal, argument); return SQLITE_OK;
    default: return SQLITE_NOTFOUND;
    }
}

static int control_handle(sqlite3_file *base, int operation, void *argument) {
    SimulatedHandle *handle = handle_of(base);
    if (operation == SQLITE_FCNTL_VFSNAME) {
        *(char **)argument = sqlite3_mprintf("simulated");
        return SQLITE_OK;
    }
    if (handle->file) return control_living(handle, operation, argument);
    switch (operation) {
    case SQLITE_FCNTL_LOCKSTATE:
    case SQLITE_FCNTL_SIZE_HINT:
    case SQLITE_FCNTL_CHUNK_SIZE:
    case SQLITE_FCNTL_HAS_MOVED:
    case SQLITE_FCNTL_PERSIST_WAL: return SQLITE_IOERR;
    default: return SQLITE_NOTFOUND;
    }
}

static int sector_size(sqlite3_file *base) {
    (void)base;
    return SECTOR;
}

static int characteristics(sqlite3_file *base) {
    SimulatedHandle *handle = handle_of(base);
    return handle->disk ? handle->disk->characteristics : 0;
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = close_handle,
    .xRead = read_handle,
    .xWrite = write_handle,
    .xTruncate = truncate_handle,
    .xSync = sync_handle,
    .xFileSize = size_of_handle,
    .xLock = lock_handle,
    .xUnlock = unlock_handle,
    .xCheckReservedLock = check_reserved,
    .xFileControl = control_handle,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = characteristics,
    .xShmMap = shared_memory_map,
    .xShmLock = shared_memory_lock,
    .xShmBarrier = shared_memory_barrier,
    .xShmUnmap = shared_memory_unmap,
};

void handle_open(SimulatedHandle *handle, SimulatedDisk *disk, SimulatedFile *file, const char *path) {
    memset(handle, 0, sizeof *handle);
    handle->base.pMethods = &methods;
    handle->disk = disk;
    handle->file = file;
    handle->path = path;
    handle->next = disk->handles;
    if (disk->handles) disk->handles->previous = handle;
    disk->handles = handle;
    file->references++;
}
