/*
 * The disk as a whole: its map of names, the changes of names that a power loss may undo, crashes and copies.
 */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

/* Streams of the generators, which keep one use of randomness from shifting another. */
enum { STREAM_RANDOMNESS = 1, STREAM_DELAYS, STREAM_LENGTHS, STREAM_CRASH, STREAM_ROT };

SimulatedDisk *simulated_disk_create(uint64_t seed) {
    SimulatedDisk *disk = memory_resize(NULL, sizeof *disk);
    memset(disk, 0, sizeof *disk);
    disk->next_inode = 1;
    disk->capacity = UINT64_MAX;
    disk->randomness = generator_make(seed, STREAM_RANDOMNESS);
    disk->delays = generator_make(seed, STREAM_DELAYS);
    disk->lengths = generator_make(seed, STREAM_LENGTHS);
    return disk;
}

/* ---- Names ---- */

/* Returns the index of the first file whose path is not before this one. */
static size_t position(const SimulatedDisk *disk, const char *path) {
    size_t index = 0;
    while (index < disk->file_count && strcmp(disk->files[index]->path, path) < 0) index++;
    return index;
}

SimulatedFile *disk_find(const SimulatedDisk *disk, const char *path) {
    size_t index = position(disk, path);
    if (index == disk->file_count || strcmp(disk->files[index]->path, path) != 0) return NULL;
    return disk->files[index];
}

/* Gives the file a name, which must be free. The map takes over the caller's reference. */
static void link_file(SimulatedDisk *disk, SimulatedFile *file, const char *path) {
    disk->files = memory_reserve(disk->files, disk->file_count, &disk->file_capacity, sizeof *disk->files);
    size_t index = position(disk, path);
    memmove(disk->files + index + 1, disk->files + index, (disk->file_count - index) * sizeof *disk->files);
    disk->files[index] = file;
    disk->file_count++;
    file->path = memory_copy_text(path);
}

/* Takes the file's name away. The caller takes over the map's reference. */
static void unlink_file(SimulatedDisk *disk, SimulatedFile *file) {
    size_t index = position(disk, file->path);
    disk->file_count--;
    memmove(disk->files + index, disk->files + index + 1, (disk->file_count - index) * sizeof *disk->files);
    free(file->path);
    file->path = NULL;
}

int disk_path_is_valid(const char *path) {
    size_t length = strlen(path);
    return path[0] == '/' && length > 1 && length <= SIMULATED_DISK_LONGEST_PATH;
}

int disk_create(SimulatedDisk *disk, const char *path, SimulatedFile **result) {
    if (!disk_path_is_valid(path)) return SQLITE_CANTOPEN;
    *result = file_create(disk->next_inode++);
    link_file(disk, *result, path);
    return SQLITE_OK;
}

/* Enters a change into the journal of names, which takes over the caller's references to the files. */
static void add_change(SimulatedDisk *disk, NameChange change) {
    disk->changes = memory_reserve(disk->changes, disk->change_count, &disk->change_capacity, sizeof *disk->changes);
    disk->changes[disk->change_count++] = change;
}

static void free_change(NameChange *change) {
    file_release(change->file);
    file_release(change->replaced);
    free(change->from);
    free(change->to);
}

void disk_remove(SimulatedDisk *disk, SimulatedFile *file) {
    add_change(disk, (NameChange){file, NULL, memory_copy_text(file->path), NULL});
    unlink_file(disk, file);
}

void disk_rename(SimulatedDisk *disk, SimulatedFile *file, const char *to) {
    SimulatedFile *replaced = disk_find(disk, to);
    if (replaced == file) return;
    NameChange change = {file, replaced, memory_copy_text(file->path), memory_copy_text(to)};
    if (replaced) unlink_file(disk, replaced);
    unlink_file(disk, file);
    file->references++;
    link_file(disk, file, change.to);
    add_change(disk, change);
}

/*
 * A rename that has become durable makes the new name durable even if the file was never synced: then its content may
 * be missing after a power loss, but neither the old nor the new name has gone astray.
 */
static void harden_oldest_changes(SimulatedDisk *disk, size_t count) {
    if (count == 0) return;
    for (size_t index = 0; index < count; index++) {
        if (disk->changes[index].to) disk->changes[index].file->name_durable = 1;
        free_change(&disk->changes[index]);
    }
    disk->change_count -= count;
    memmove(disk->changes, disk->changes + count, disk->change_count * sizeof *disk->changes);
}

void disk_harden_changes(SimulatedDisk *disk) {
    harden_oldest_changes(disk, disk->change_count);
}

void simulated_disk_sync_names(SimulatedDisk *disk) {
    disk_harden_changes(disk);
    for (size_t index = 0; index < disk->file_count; index++) disk->files[index]->name_durable = 1;
}

/* Gives a file its former name back. Whoever has the name was created later and never synced, so it goes. */
static void restore_name(SimulatedDisk *disk, SimulatedFile *file, const char *path) {
    SimulatedFile *occupant = disk_find(disk, path);
    if (occupant) {
        unlink_file(disk, occupant);
        file_release(occupant);
    }
    file->references++;
    link_file(disk, file, path);
}

static void undo_newest_change(SimulatedDisk *disk) {
    NameChange change = disk->changes[--disk->change_count];
    if (change.to) {
        unlink_file(disk, change.file);
        file_release(change.file);
    }
    restore_name(disk, change.file, change.from);
    if (change.replaced) restore_name(disk, change.replaced, change.to);
    free_change(&change);
}

uint64_t disk_used(const SimulatedDisk *disk) {
    uint64_t used = 0;
    for (size_t index = 0; index < disk->file_count; index++) used += (uint64_t)disk->files[index]->size;
    return used;
}

/* ---- Crashes ---- */

static void lose_names(SimulatedDisk *disk, Generator *generator) {
    size_t kept = generator ? (size_t)generator_below(generator, disk->change_count + 1) : 0;
    while (disk->change_count > kept) undo_newest_change(disk);
    harden_oldest_changes(disk, kept);
    for (size_t index = disk->file_count; index-- > 0;) {
        SimulatedFile *file = disk->files[index];
        if (file->name_durable) continue;
        if (generator && generator_below(generator, 2) == 0) {
            file->name_durable = 1;
            continue;
        }
        unlink_file(disk, file);
        file_release(file);
    }
}

void simulated_disk_crash(SimulatedDisk *disk, SimulatedCrash kind, uint64_t seed) {
    handle_kill_all(disk);
    if (kind == SIMULATED_CRASH_KILL) return;
    Generator chance = generator_make(seed, STREAM_CRASH);
    Generator *generator = kind == SIMULATED_CRASH_LOSE_SOME ? &chance : NULL;
    lose_names(disk, generator);
    for (size_t index = 0; index < disk->file_count; index++) file_lose(disk->files[index], generator);
}

int64_t simulated_disk_rot(SimulatedDisk *disk, const char *path, int64_t from, int64_t to, uint64_t seed) {
    SimulatedFile *file = disk_find(disk, path);
    if (!file) return -1;
    if (from < 0) from = 0;
    if (to > file->size) to = file->size;
    if (from >= to) return -1;
    Generator generator = generator_make(seed, STREAM_ROT);
    int64_t offset = from + (int64_t)generator_below(&generator, (uint64_t)(to - from));
    file_flip(file, offset, (int)generator_below(&generator, 8));
    return offset;
}

/* ---- Copies, settings and the end ---- */

/* Returns the copy of a file that a copied disk already has, or makes one for a file that has lost its name. */
static SimulatedFile *copied_file(const SimulatedDisk *disk, SimulatedDisk *copy, SimulatedFile *file) {
    SimulatedFile *found = NULL;
    for (size_t index = 0; index < disk->file_count; index++) {
        if (disk->files[index] == file) found = copy->files[index];
    }
    /* A file without a name may be mentioned by several changes, and has to stay one file. */
    for (size_t index = 0; !found && index < copy->change_count; index++) {
        if (disk->changes[index].file == file) found = copy->changes[index].file;
        else if (disk->changes[index].replaced == file) found = copy->changes[index].replaced;
    }
    if (!found) return file_copy(file);
    found->references++;
    return found;
}

static void copy_change(const SimulatedDisk *disk, SimulatedDisk *copy, const NameChange *change) {
    NameChange result = {copied_file(disk, copy, change->file), NULL, memory_copy_text(change->from), NULL};
    if (change->to) result.to = memory_copy_text(change->to);
    if (change->replaced) result.replaced = copied_file(disk, copy, change->replaced);
    add_change(copy, result);
}

SimulatedDisk *simulated_disk_snapshot(SimulatedDisk *disk, uint64_t seed) {
    SimulatedDisk *copy = simulated_disk_create(seed);
    copy->next_inode = disk->next_inode;
    copy->capacity = disk->capacity;
    copy->time = disk->time;
    copy->characteristics = disk->characteristics;
    for (size_t index = 0; index < disk->file_count; index++) {
        copy->files = memory_reserve(copy->files, copy->file_count, &copy->file_capacity, sizeof *copy->files);
        copy->files[copy->file_count++] = file_copy(disk->files[index]);
    }
    for (size_t index = 0; index < disk->change_count; index++) copy_change(disk, copy, &disk->changes[index]);
    return copy;
}

void simulated_disk_destroy(SimulatedDisk *disk) {
    if (!disk) return;
    if (simulated_disk_mounted() == disk) simulated_disk_mount(NULL);
    handle_kill_all(disk);
    for (size_t index = 0; index < disk->change_count; index++) free_change(&disk->changes[index]);
    for (size_t index = 0; index < disk->file_count; index++) file_release(disk->files[index]);
    free(disk->changes);
    free(disk->files);
    free(disk);
}

void simulated_disk_set_capacity(SimulatedDisk *disk, uint64_t bytes) {
    disk->capacity = bytes;
}

void simulated_disk_set_time(SimulatedDisk *disk, int64_t unix_nanoseconds) {
    disk->time = unix_nanoseconds;
}

void simulated_disk_set_characteristics(SimulatedDisk *disk, int characteristics) {
    disk->characteristics = characteristics;
}

uint64_t simulated_disk_take_delay(SimulatedDisk *disk) {
    uint64_t delay = disk->delay;
    disk->delay = 0;
    return delay;
}
