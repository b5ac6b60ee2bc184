/*
 * The VFS "simulated": what SQLite asks of an operating system, answered from the mounted disk.
 */
#include <string.h>

#include "internal.h"

static SimulatedDisk *mounted;

void simulated_disk_mount(SimulatedDisk *disk) {
    mounted = disk;
}

SimulatedDisk *simulated_disk_mounted(void) {
    return mounted;
}

/* The VFS that was the default one before; it loads extensions, which have nothing to do with the disk. */
static sqlite3_vfs *system_of(sqlite3_vfs *vfs) {
    return vfs->pAppData;
}

/* ---- Files ---- */

/* Finds or creates the file that is to be opened, and checks it against the flags. */
static int file_to_open(const char *path, int flags, SimulatedFile **file) {
    if (fault_strikes(mounted, SIMULATED_FAULT_OPEN_ERROR)) return SQLITE_CANTOPEN;
    *file = disk_find(mounted, path);
    if (!*file) return flags & SQLITE_OPEN_CREATE ? disk_create(mounted, path, file) : SQLITE_CANTOPEN;
    int must_be_new = SQLITE_OPEN_CREATE | SQLITE_OPEN_EXCLUSIVE;
    return (flags & must_be_new) == must_be_new ? SQLITE_CANTOPEN : SQLITE_OK;
}

static void open_temporary(SimulatedHandle *handle) {
    SimulatedFile *file = file_create(0);
    file->temporary = 1;
    handle_open(handle, mounted, file, NULL);
    file_release(file);
}

static int vfs_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *base, int flags, int *flags_out) {
    (void)vfs;
    SimulatedHandle *handle = (SimulatedHandle *)base;
    base->pMethods = NULL;
    if (!mounted) return SQLITE_CANTOPEN;
    if (!path || (flags & SQLITE_OPEN_DELETEONCLOSE)) {
        open_temporary(handle);
    } else {
        SimulatedFile *file;
        int result = file_to_open(path, flags, &file);
        if (result != SQLITE_OK) return result;
        handle_open(handle, mounted, file, path);
        handle->read_only = (flags & SQLITE_OPEN_READONLY) != 0;
    }
    if (flags_out) *flags_out = flags;
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *path, int sync_directory) {
    (void)vfs;
    if (!mounted) return SQLITE_IOERR_DELETE;
    SimulatedFile *file = disk_find(mounted, path);
    if (!file) return SQLITE_IOERR_DELETE_NOENT;
    disk_remove(mounted, file);
    if (sync_directory) simulated_disk_sync_names(mounted);
    return SQLITE_OK;
}

/* Like the Unix VFS, takes an empty file for a missing one: a journal that is empty has nothing to say. */
static int vfs_access(sqlite3_vfs *vfs, const char *path, int flags, int *answer) {
    (void)vfs;
    *answer = 0;
    if (!mounted) return SQLITE_IOERR_ACCESS;
    SimulatedFile *file = disk_find(mounted, path);
    *answer = file && (flags != SQLITE_ACCESS_EXISTS || file->size > 0);
    return SQLITE_OK;
}

/* There are no directories to be relative to, so a relative path starts at the root. */
static int vfs_full_path(sqlite3_vfs *vfs, const char *path, int room, char *result) {
    (void)vfs;
    size_t slash = path[0] != '/', length = strlen(path);
    if (length + slash + 1 > (size_t)room) return SQLITE_CANTOPEN;
    result[0] = '/';
    memcpy(result + slash, path, length + 1);
    return SQLITE_OK;
}

/* ---- Randomness and time ---- */

static int vfs_randomness(sqlite3_vfs *vfs, int count, char *bytes) {
    (void)vfs;
    static Generator without_disk;
    Generator *generator = mounted ? &mounted->randomness : &without_disk;
    /* Byte by byte, so that the order of bytes in this machine's words does not show. */
    for (int index = 0; index < count; index++) bytes[index] = (char)(generator_next(generator) >> 56);
    return count;
}

static int vfs_sleep(sqlite3_vfs *vfs, int microseconds) {
    (void)vfs;
    if (mounted && microseconds > 0) mounted->delay += (uint64_t)microseconds * 1000;
    return microseconds;
}

/* In milliseconds since noon in Greenwich on November 24, 4714 B.C. (Gregorian), which is how SQLite counts. */
static int vfs_time(sqlite3_vfs *vfs, sqlite3_int64 *julian_milliseconds) {
    (void)vfs;
    const int64_t unix_epoch = INT64_C(210866760000000), per_millisecond = 1000000;
    int64_t time = mounted ? mounted->time : 0;
    int64_t milliseconds = time / per_millisecond - (time % per_millisecond < 0);
    *julian_milliseconds = unix_epoch + milliseconds;
    return SQLITE_OK;
}

static int vfs_time_in_days(sqlite3_vfs *vfs, double *julian_days) {
    sqlite3_int64 milliseconds;
    int result = vfs_time(vfs, &milliseconds);
    *julian_days = (double)milliseconds / 86400000.0;
    return result;
}

static int vfs_last_error(sqlite3_vfs *vfs, int room, char *text) {
    (void)vfs;
    if (room > 0 && text) text[0] = 0;
    return 0;
}

/* ---- Extensions ---- */

static void *vfs_load(sqlite3_vfs *vfs, const char *path) {
    return system_of(vfs)->xDlOpen(system_of(vfs), path);
}

static void vfs_load_error(sqlite3_vfs *vfs, int room, char *text) {
    system_of(vfs)->xDlError(system_of(vfs), room, text);
}

static void (*vfs_symbol(sqlite3_vfs *vfs, void *library, const char *name))(void) {
    return system_of(vfs)->xDlSym(system_of(vfs), library, name);
}

static void vfs_unload(sqlite3_vfs *vfs, void *library) {
    system_of(vfs)->xDlClose(system_of(vfs), library);
}

/* ---- Registration ---- */

static sqlite3_vfs simulated = {
    .iVersion = 2,
    .szOsFile = sizeof(SimulatedHandle),
    .mxPathname = SIMULATED_DISK_LONGEST_PATH + 1,
    .zName = "simulated",
    .xOpen = vfs_open,
    .xDelete = vfs_delete,
    .xAccess = vfs_access,
    .xFullPathname = vfs_full_path,
    .xDlOpen = vfs_load,
    .xDlError = vfs_load_error,
    .xDlSym = vfs_symbol,
    .xDlClose = vfs_unload,
    .xRandomness = vfs_randomness,
    .xSleep = vfs_sleep,
    .xCurrentTime = vfs_time_in_days,
    .xGetLastError = vfs_last_error,
    .xCurrentTimeInt64 = vfs_time,
};

int simulated_disk_register_vfs(int make_default) {
    int registered = sqlite3_vfs_find(simulated.zName) == &simulated;
    if (registered && !make_default) return SQLITE_OK;
    if (!registered) {
        simulated.pAppData = sqlite3_vfs_find(NULL);
        if (!simulated.pAppData) return SQLITE_ERROR;
    }
    return sqlite3_vfs_register(&simulated, make_default);
}
