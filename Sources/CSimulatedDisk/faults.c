/*
 * The faults that are planned for a disk, and the operations on open files that heed them. SQLite and plain file
 * access both go through here, so that a fault cannot tell them apart.
 */
#include "internal.h"

static int kind_is_known(SimulatedFault kind) {
    return (unsigned)kind < SIMULATED_FAULT_KINDS;
}

void simulated_disk_inject(SimulatedDisk *disk, SimulatedFault kind, uint64_t after, uint64_t count) {
    if (!kind_is_known(kind)) return;
    disk->faults[kind].after = after;
    disk->faults[kind].count = count;
}

void simulated_disk_clear_faults(SimulatedDisk *disk) {
    for (int kind = 0; kind < SIMULATED_FAULT_KINDS; kind++) {
        disk->faults[kind].after = 0;
        disk->faults[kind].count = 0;
    }
}

void simulated_disk_suspend_faults(SimulatedDisk *disk, int suspended) { disk->faults_suspended = suspended; }

uint64_t simulated_disk_fired(SimulatedDisk *disk, SimulatedFault kind) {
    return kind_is_known(kind) ? disk->faults[kind].fired : 0;
}

uint64_t simulated_disk_calls(SimulatedDisk *disk, SimulatedFault kind) {
    return kind_is_known(kind) ? disk->faults[kind].calls : 0;
}

int fault_is_due(SimulatedDisk *disk, SimulatedFault kind) {
    if (disk->faults_suspended) return 0;
    FaultPlan *plan = &disk->faults[kind];
    plan->calls++;
    if (plan->count == 0) return 0;
    if (plan->after == 0) return 1;
    plan->after--;
    return 0;
}

void fault_deliver(SimulatedDisk *disk, SimulatedFault kind) {
    FaultPlan *plan = &disk->faults[kind];
    plan->fired++;
    if (plan->count != 0 && plan->count != UINT64_MAX) plan->count--;
}

int fault_strikes(SimulatedDisk *disk, SimulatedFault kind) {
    if (!fault_is_due(disk, kind)) return 0;
    fault_deliver(disk, kind);
    return 1;
}

/* Adds a delay if the disk is to be slow. A power of two of nanoseconds, up to doubled, spreads the magnitudes. */
static void wait_if_slow(SimulatedDisk *disk) {
    if (!fault_strikes(disk, SIMULATED_FAULT_SLOW)) return;
    uint64_t magnitude = UINT64_C(1) << (20 + generator_below(&disk->delays, 10));
    disk->delay += magnitude + generator_below(&disk->delays, magnitude);
}

int disk_read(
    SimulatedDisk *disk, const SimulatedFile *file, int64_t offset, void *buffer, int64_t count, int64_t *got) {
    *got = 0;
    if (!file->temporary) {
        wait_if_slow(disk);
        if (fault_strikes(disk, SIMULATED_FAULT_READ_ERROR)) return SQLITE_IOERR_READ;
    }
    *got = file_read(file, offset, buffer, count);
    return SQLITE_OK;
}

/* Says whether the file may grow to the end, and counts a full disk if it may not. */
static int has_room(SimulatedDisk *disk, const SimulatedFile *file, int64_t end) {
    if (disk->capacity == UINT64_MAX || end <= file->size) return 1;
    uint64_t used = disk_used(disk), growth = (uint64_t)(end - file->size);
    return used <= disk->capacity && growth <= disk->capacity - used;
}

static int short_write(SimulatedDisk *disk, SimulatedFile *file, int64_t offset, const void *bytes, int64_t count) {
    if (count > 0) {
        int64_t written = (int64_t)generator_below(&disk->lengths, (uint64_t)count);
        int result = file_write(file, offset, bytes, written);
        if (result != SQLITE_OK) return result;
    }
    fault_deliver(disk, SIMULATED_FAULT_SHORT_WRITE);
    return SQLITE_IOERR_WRITE;
}

int disk_write(SimulatedDisk *disk, SimulatedFile *file, int64_t offset, const void *bytes, int64_t count) {
    if (file->temporary) return file_write(file, offset, bytes, count);
    wait_if_slow(disk);
    /* Every kind counts the call before one is delivered, so that all of them number the writes alike. */
    int full = fault_is_due(disk, SIMULATED_FAULT_FULL);
    int fails = fault_is_due(disk, SIMULATED_FAULT_WRITE_ERROR);
    int falls_short = fault_is_due(disk, SIMULATED_FAULT_SHORT_WRITE);
    if (count > SIMULATED_DISK_LARGEST_FILE || offset > SIMULATED_DISK_LARGEST_FILE - count) return SQLITE_FULL;
    if (full) {
        fault_deliver(disk, SIMULATED_FAULT_FULL);
        return SQLITE_FULL;
    }
    if (!has_room(disk, file, offset + count)) {
        disk->faults[SIMULATED_FAULT_FULL].fired++;
        return SQLITE_FULL;
    }
    if (fails) {
        fault_deliver(disk, SIMULATED_FAULT_WRITE_ERROR);
        return SQLITE_IOERR_WRITE;
    }
    if (falls_short) return short_write(disk, file, offset, bytes, count);
    return file_write(file, offset, bytes, count);
}

int disk_truncate(SimulatedDisk *disk, SimulatedFile *file, int64_t size) {
    if (file->temporary) return file_truncate(file, size);
    wait_if_slow(disk);
    if (fault_strikes(disk, SIMULATED_FAULT_TRUNCATE_ERROR)) return SQLITE_IOERR_TRUNCATE;
    if (size <= SIMULATED_DISK_LARGEST_FILE && !has_room(disk, file, size)) {
        disk->faults[SIMULATED_FAULT_FULL].fired++;
        return SQLITE_FULL;
    }
    return file_truncate(file, size);
}

int disk_sync(SimulatedDisk *disk, SimulatedFile *file) {
    if (file->temporary) return SQLITE_OK;
    wait_if_slow(disk);
    int fails = fault_is_due(disk, SIMULATED_FAULT_SYNC_ERROR);
    int lies = fault_is_due(disk, SIMULATED_FAULT_LOST_SYNC);
    if (fails) {
        fault_deliver(disk, SIMULATED_FAULT_SYNC_ERROR);
        return SQLITE_IOERR_FSYNC;
    }
    if (lies) {
        fault_deliver(disk, SIMULATED_FAULT_LOST_SYNC);
        return SQLITE_OK;
    }
    file_harden(file);
    file->name_durable = 1;
    disk_harden_changes(disk);
    return SQLITE_OK;
}
