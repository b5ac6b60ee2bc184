/*
 * The content of one file: what is visible, and the older versions that a power loss could bring back.
 *
 * A write saves each sector it touches before changing it, so a sync only has to forget what was saved: its cost is
 * the number of sectors written since the last one, whatever the size of the file.
 */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

/* A sync gives saved sectors back to the system when there were more than this many; fewer are kept for reuse. */
#define IMAGES_TO_KEEP 16384

void *memory_resize(void *old, size_t bytes) {
    void *result = realloc(old, bytes ? bytes : 1);
    if (!result) abort();
    return result;
}

char *memory_copy_text(const char *text) {
    size_t bytes = strlen(text) + 1;
    return memcpy(memory_resize(NULL, bytes), text, bytes);
}

void *memory_reserve(void *array, size_t count, size_t *capacity, size_t element) {
    if (count < *capacity) return array;
    *capacity = *capacity + *capacity / 2 + 16;
    return memory_resize(array, *capacity * element);
}

SimulatedFile *file_create(uint64_t inode) {
    SimulatedFile *file = memory_resize(NULL, sizeof *file);
    memset(file, 0, sizeof *file);
    file->inode = inode;
    file->references = 1;
    return file;
}

static void *copy_array(const void *array, size_t count, size_t element) {
    if (count == 0) return NULL;
    return memcpy(memory_resize(NULL, count * element), array, count * element);
}

SimulatedFile *file_copy(const SimulatedFile *file) {
    SimulatedFile *copy = memory_resize(NULL, sizeof *copy);
    *copy = *file;
    copy->references = 1;
    copy->shared = NULL;
    copy->path = file->path ? memory_copy_text(file->path) : NULL;
    copy->bytes = copy_array(file->bytes, (size_t)file->capacity, 1);
    copy->newest = copy_array(file->newest, (size_t)file->capacity / SECTOR, sizeof *file->newest);
    copy->dirty = copy_array(file->dirty, file->dirty_count, sizeof *file->dirty);
    copy->versions = copy_array(file->versions, file->version_count, sizeof *file->versions);
    copy->images = copy_array(file->images, file->image_count, SECTOR);
    copy->sizes = copy_array(file->sizes, file->size_count, sizeof *file->sizes);
    copy->dirty_capacity = file->dirty_count;
    copy->version_capacity = file->version_count;
    copy->image_capacity = file->image_count;
    copy->size_capacity = file->size_count;
    return copy;
}

void file_release(SimulatedFile *file) {
    if (!file || --file->references > 0) return;
    shared_memory_release(file->shared);
    free(file->path);
    free(file->bytes);
    free(file->newest);
    free(file->dirty);
    free(file->versions);
    free(file->images);
    free(file->sizes);
    free(file);
}

/* Makes room for the bytes up to the end, at least doubling so that appending costs the same whatever the size. */
static void reserve_bytes(SimulatedFile *file, int64_t end) {
    if (end <= file->capacity) return;
    int64_t capacity = file->capacity * 2 > end ? file->capacity * 2 : end;
    if (capacity < 8 * SECTOR) capacity = 8 * SECTOR;
    capacity = (capacity + SECTOR - 1) / SECTOR * SECTOR;
    size_t old_sectors = (size_t)file->capacity / SECTOR, sectors = (size_t)capacity / SECTOR;
    file->bytes = memory_resize(file->bytes, (size_t)capacity);
    memset(file->bytes + file->capacity, 0, (size_t)(capacity - file->capacity));
    file->newest = memory_resize(file->newest, sectors * sizeof *file->newest);
    memset(file->newest + old_sectors, 0, (sectors - old_sectors) * sizeof *file->newest);
    file->capacity = capacity;
}

/* Saves the bytes of a sector and returns the index, plus 1. */
static uint32_t save_image(SimulatedFile *file, const uint8_t *bytes) {
    file->images = memory_reserve(file->images, file->image_count, &file->image_capacity, SECTOR);
    memcpy(file->images + file->image_count * SECTOR, bytes, SECTOR);
    return (uint32_t)++file->image_count;
}

/* Saves the sector as it is, before a write or the given shrinking changes it. */
static void save_version(SimulatedFile *file, size_t sector, uint32_t cut) {
    if (file->newest[sector] == 0) {
        file->dirty = memory_reserve(file->dirty, file->dirty_count, &file->dirty_capacity, sizeof *file->dirty);
        file->dirty[file->dirty_count++] = (uint32_t)sector;
    }
    Version version = {file->newest[sector], 0, cut};
    int64_t start = (int64_t)sector * SECTOR;
    if (start < file->size) version.image = save_image(file, file->bytes + start);
    file->versions =
        memory_reserve(file->versions, file->version_count, &file->version_capacity, sizeof *file->versions);
    file->versions[file->version_count++] = version;
    file->newest[sector] = (uint32_t)file->version_count;
}

/* Saves all sectors that hold bytes of [from, to). */
static void save_versions(SimulatedFile *file, int64_t from, int64_t to, uint32_t cut) {
    if (file->temporary || from >= to) return;
    size_t last = (size_t)(to - 1) / SECTOR;
    for (size_t sector = (size_t)from / SECTOR; sector <= last; sector++) save_version(file, sector, cut);
}

static void change_size(SimulatedFile *file, int64_t size) {
    if (size == file->size) return;
    if (!file->temporary) {
        file->sizes = memory_reserve(file->sizes, file->size_count, &file->size_capacity, sizeof *file->sizes);
        file->sizes[file->size_count++] = (SizeVersion){file->size, file->cuts};
        if (size < file->size) file->cuts++;
    }
    file->size = size;
}

int file_write(SimulatedFile *file, int64_t offset, const void *bytes, int64_t count) {
    if (count == 0) return SQLITE_OK;
    if (count > SIMULATED_DISK_LARGEST_FILE || offset > SIMULATED_DISK_LARGEST_FILE - count) return SQLITE_FULL;
    int64_t end = offset + count;
    reserve_bytes(file, end);
    save_versions(file, offset, end, 0);
    memcpy(file->bytes + offset, bytes, (size_t)count);
    if (end > file->size) change_size(file, end);
    return SQLITE_OK;
}

int file_truncate(SimulatedFile *file, int64_t size) {
    if (size > SIMULATED_DISK_LARGEST_FILE) return SQLITE_FULL;
    reserve_bytes(file, size);
    if (size < file->size) {
        save_versions(file, size, file->size, file->cuts + 1);
        memset(file->bytes + size, 0, (size_t)(file->size - size));
    }
    change_size(file, size);
    return SQLITE_OK;
}

int64_t file_read(const SimulatedFile *file, int64_t offset, void *buffer, int64_t count) {
    if (offset >= file->size || count == 0) return 0;
    if (count > file->size - offset) count = file->size - offset;
    memcpy(buffer, file->bytes + offset, (size_t)count);
    return count;
}

void file_harden(SimulatedFile *file) {
    for (size_t index = 0; index < file->dirty_count; index++) file->newest[file->dirty[index]] = 0;
    if (file->image_capacity > IMAGES_TO_KEEP) {
        free(file->images);
        file->images = NULL;
        file->image_capacity = 0;
    }
    file->dirty_count = file->version_count = file->image_count = file->size_count = 0;
    file->cuts = 0;
}

/* Walks so many steps from the newest version towards the durable one, which it does not pass. */
static uint32_t version_at(const SimulatedFile *file, size_t sector, uint64_t depth) {
    uint32_t version = file->newest[sector];
    while (--depth > 0 && file->versions[version - 1].older != 0) version = file->versions[version - 1].older;
    return version;
}

/*
 * Returns the version that a power loss leaves of a dirty sector: an index plus 1, or 0 for the visible content.
 *
 * A shrinking and the loss of the bytes behind it are one step for a file system, which drops blocks and does not
 * write zeros. So the sector may only choose among its versions between the shrinkings that led to the surviving size
 * and those that followed it.
 */
static uint32_t surviving_version(const SimulatedFile *file, size_t sector, uint32_t cuts, Generator *generator) {
    uint64_t newest = 0, oldest = 0;
    for (uint32_t step = file->newest[sector]; step != 0; step = file->versions[step - 1].older) {
        uint32_t cut = file->versions[step - 1].cut;
        if (cut != 0 && cut <= cuts) break;
        oldest++;
        if (cut != 0) newest = oldest;
    }
    uint64_t depth = newest + generator_below(generator, oldest - newest + 1);
    return depth == 0 ? 0 : version_at(file, sector, depth);
}

static SizeVersion surviving_size(const SimulatedFile *file, Generator *generator) {
    SizeVersion visible = {file->size, file->cuts};
    if (file->size_count == 0) return visible;
    if (!generator) return file->sizes[0];
    uint64_t choice = generator_below(generator, file->size_count + 1);
    return choice == file->size_count ? visible : file->sizes[choice];
}

static void restore_sector(SimulatedFile *file, size_t sector, uint32_t version) {
    if (version == 0) return;
    uint32_t image = file->versions[version - 1].image;
    uint8_t *bytes = file->bytes + sector * SECTOR;
    if (image == 0) memset(bytes, 0, SECTOR);
    else memcpy(bytes, file->images + (size_t)(image - 1) * SECTOR, SECTOR);
}

void file_lose(SimulatedFile *file, Generator *generator) {
    SizeVersion left = surviving_size(file, generator);
    int64_t furthest = file->size;
    for (size_t index = 0; index < file->size_count; index++) {
        if (file->sizes[index].size > furthest) furthest = file->sizes[index].size;
    }
    for (size_t index = 0; index < file->dirty_count; index++) {
        size_t sector = file->dirty[index];
        uint32_t version = generator ? surviving_version(file, sector, left.cuts, generator)
                                     : version_at(file, sector, UINT64_MAX);
        restore_sector(file, sector, version);
    }
    /* A sector may have come back beyond the size that did; bytes out there have to be zeros. */
    if (left.size < furthest) memset(file->bytes + left.size, 0, (size_t)(furthest - left.size));
    file->size = left.size;
    file_harden(file);
}

void file_flip(SimulatedFile *file, int64_t offset, int bit) {
    uint8_t mask = (uint8_t)(1u << bit);
    file->bytes[offset] ^= mask;
    uint32_t version = file->newest[offset / SECTOR];
    while (version != 0) {
        uint32_t image = file->versions[version - 1].image;
        if (image != 0) file->images[(size_t)(image - 1) * SECTOR + (size_t)(offset % SECTOR)] ^= mask;
        version = file->versions[version - 1].older;
    }
}
