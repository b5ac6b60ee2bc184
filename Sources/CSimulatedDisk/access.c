/*
 * Plain access to files by path, for the parts of a program that do not go through SQLite.
 */
#include "internal.h"

/* Notes why a call failed. Returns -1. */
static int fail(SimulatedDisk *disk, int code) {
    disk->last_error = code;
    return -1;
}

int simulated_disk_last_error(SimulatedDisk *disk) {
    return disk->last_error;
}

int64_t simulated_disk_size(SimulatedDisk *disk, const char *path) {
    SimulatedFile *file = disk_find(disk, path);
    return file ? file->size : fail(disk, SQLITE_CANTOPEN);
}

int64_t simulated_disk_read(SimulatedDisk *disk, const char *path, int64_t offset, void *buffer, int64_t count) {
    if (offset < 0 || count < 0) return fail(disk, SQLITE_MISUSE);
    SimulatedFile *file = disk_find(disk, path);
    if (!file) return fail(disk, SQLITE_CANTOPEN);
    int64_t got;
    int result = disk_read(disk, file, offset, buffer, count, &got);
    return result == SQLITE_OK ? got : fail(disk, result);
}

/* Creates a file as a program would: here an injected error of opening strikes. */
static int create(SimulatedDisk *disk, const char *path, SimulatedFile **file) {
    if (fault_strikes(disk, SIMULATED_FAULT_OPEN_ERROR)) return SQLITE_CANTOPEN;
    return disk_create(disk, path, file);
}

int64_t simulated_disk_write(
    SimulatedDisk *disk, const char *path, int64_t offset, const void *bytes, int64_t count) {
    if (offset < 0 || count < 0) return fail(disk, SQLITE_MISUSE);
    SimulatedFile *file = disk_find(disk, path);
    int result = file ? SQLITE_OK : create(disk, path, &file);
    if (result == SQLITE_OK) result = disk_write(disk, file, offset, bytes, count);
    return result == SQLITE_OK ? count : fail(disk, result);
}

int simulated_disk_truncate(SimulatedDisk *disk, const char *path, int64_t size) {
    if (size < 0) return fail(disk, SQLITE_MISUSE);
    SimulatedFile *file = disk_find(disk, path);
    if (!file) return fail(disk, SQLITE_CANTOPEN);
    int result = disk_truncate(disk, file, size);
    return result == SQLITE_OK ? 0 : fail(disk, result);
}

int simulated_disk_sync(SimulatedDisk *disk, const char *path) {
    SimulatedFile *file = disk_find(disk, path);
    if (!file) return fail(disk, SQLITE_CANTOPEN);
    int result = disk_sync(disk, file);
    return result == SQLITE_OK ? 0 : fail(disk, result);
}

int simulated_disk_remove(SimulatedDisk *disk, const char *path) {
    SimulatedFile *file = disk_find(disk, path);
    if (!file) return fail(disk, SQLITE_CANTOPEN);
    disk_remove(disk, file);
    return 0;
}

int simulated_disk_rename(SimulatedDisk *disk, const char *from, const char *to) {
    SimulatedFile *file = disk_find(disk, from);
    if (!file || !disk_path_is_valid(to)) return fail(disk, SQLITE_CANTOPEN);
    disk_rename(disk, file, to);
    return 0;
}

int simulated_disk_copy(SimulatedDisk *disk, const char *from, const char *to) {
    SimulatedFile *source = disk_find(disk, from);
    SimulatedFile *target = disk_find(disk, to);
    if (!source || source == target) return fail(disk, SQLITE_CANTOPEN);
    int64_t got;
    int result = disk_read(disk, source, 0, NULL, 0, &got);
    if (result != SQLITE_OK) return fail(disk, result);
    if (target) disk_remove(disk, target);
    result = create(disk, to, &target);
    /* The source's bytes stay where they are while the target grows: no need to copy them twice. */
    if (result == SQLITE_OK) result = disk_write(disk, target, 0, source->bytes, source->size);
    return result == SQLITE_OK ? 0 : fail(disk, result);
}

uint64_t simulated_disk_inode(SimulatedDisk *disk, const char *path) {
    SimulatedFile *file = disk_find(disk, path);
    return file ? file->inode : 0;
}

int simulated_disk_count(SimulatedDisk *disk) {
    return (int)disk->file_count;
}

const char *simulated_disk_path(SimulatedDisk *disk, int index) {
    if (index < 0 || (size_t)index >= disk->file_count) return NULL;
    return disk->files[index]->path;
}
