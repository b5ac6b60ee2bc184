/*
 * A disk in memory that tells written from durable, fails on request and loses power on request, with an SQLite VFS
 * named "simulated" on top of it. It is made for deterministic simulation: no clock, no system call and no source of
 * randomness but the seeds that are passed in, so the same calls give the same bytes on every machine.
 *
 * The model
 *
 * - A disk is a flat map from absolute paths to files; there are no directories. A file has an inode (a number that
 *   the disk never uses again), its visible content (what every read sees, like a page cache) and, for every sector
 *   of 512 bytes and for the size, the versions since the last successful sync of that file. The oldest version is
 *   the durable one. Memory for versions is given up at a sync, so a file that is rewritten and never synced costs
 *   512 bytes per sector and write.
 * - Names. A new file's name becomes durable at the first successful sync of that file. Removals and renames are
 *   entries of one ordered journal, which becomes durable at a successful sync of any file of the disk. A removal by
 *   SQLite that asks for a directory sync, and simulated_disk_sync_names, make every name durable. A power loss keeps
 *   a prefix of the entries that are not durable (possibly none or all of them) and undoes the rest; so a rename
 *   happens as a whole or not at all.
 * - Errors of plain file access are reported as -1; simulated_disk_last_error then says which.
 *
 * Everything must run on one thread. A failed allocation aborts the process. Paths are copied; no function keeps a
 * pointer to its arguments.
 */
#ifndef SIMULATED_DISK_H
#define SIMULATED_DISK_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A disk. Owned by whoever created it, until simulated_disk_destroy. */
typedef struct SimulatedDisk SimulatedDisk;

/* How a crash treats what was written and not yet synced. */
typedef enum {
    /* The process dies, the machine lives on: everything stays visible, and what was not synced stays so. */
    SIMULATED_CRASH_KILL = 0,
    /* The power fails and only durable content and durable names are left. */
    SIMULATED_CRASH_LOSE_ALL = 1,
    /*
     * The power fails while the drive writes back in any order: every sector that is not durable keeps, on its own,
     * its durable or any later version; the size keeps any of its versions; a new name that is not durable stays or
     * vanishes; a prefix of the pending removals and renames stays. Bytes that nothing was kept for read as zeros.
     * Shrinking a file and losing the bytes behind the cut is one step: an older, larger size brings back only what
     * the sectors held before the cut, and a size from after the cut only what was written there since.
     */
    SIMULATED_CRASH_LOSE_SOME = 2,
} SimulatedCrash;

/* What can be made to go wrong. In parentheses: which calls match, that is, count and can be hit. */
typedef enum {
    /* A random, proper prefix of the bytes is written, then SQLITE_IOERR_WRITE (writes). */
    SIMULATED_FAULT_SHORT_WRITE = 0,
    /* SQLITE_FULL, nothing written (writes). Writes refused for lack of capacity are counted as fired, too. */
    SIMULATED_FAULT_FULL = 1,
    /* SQLITE_IOERR_READ (reads). */
    SIMULATED_FAULT_READ_ERROR = 2,
    /* SQLITE_IOERR_WRITE, nothing written (writes). */
    SIMULATED_FAULT_WRITE_ERROR = 3,
    /* SQLITE_IOERR_TRUNCATE, the size unchanged (truncations). */
    SIMULATED_FAULT_TRUNCATE_ERROR = 4,
    /* SQLITE_IOERR_FSYNC; what was not durable stays visible and not durable (syncs of a file). */
    SIMULATED_FAULT_SYNC_ERROR = 5,
    /*
     * The call succeeds and adds between 1 and 1100 milliseconds, evenly spread on a logarithmic scale, to the delay
     * that simulated_disk_take_delay returns (reads, writes, truncations, syncs; also together with another fault).
     */
    SIMULATED_FAULT_SLOW = 6,
    /* SQLITE_CANTOPEN (SQLite opening a file that is not temporary; plain access creating a file). */
    SIMULATED_FAULT_OPEN_ERROR = 7,
    /*
     * The sync reports success and makes nothing durable (syncs of a file): a drive that lies. No program can survive
     * it, so it serves to prove that a test of durability is able to fail.
     */
    SIMULATED_FAULT_LOST_SYNC = 8,
} SimulatedFault;

/* How many kinds of fault there are: they are numbered from 0. */
#define SIMULATED_FAULT_KINDS 9

/* The longest path, in bytes without the final zero. Longer ones cannot be opened or created. */
#define SIMULATED_DISK_LONGEST_PATH 1023

/* The largest size of a file, in bytes. Writes and truncations beyond it fail with SQLITE_FULL. */
#define SIMULATED_DISK_LARGEST_FILE 4294967296

/* ---- The disk ---- */

/*
 * Returns a new, empty disk: unlimited, without faults, at time 0. The seed feeds SQLite's randomness, the delays and
 * the lengths of short writes. The caller owns the result.
 */
SimulatedDisk *simulated_disk_create(uint64_t seed);

/*
 * Frees the disk and all its files; NULL is allowed. Handles that SQLite still has open become dead (see
 * simulated_disk_crash) and may be closed later. The disk is unmounted if it was mounted.
 */
void simulated_disk_destroy(SimulatedDisk *disk);

/*
 * Returns a new disk, owned by the caller, with the same files: paths, inodes, visible and durable content, pending
 * names, capacity, time and characteristics. Open handles, locks, planned faults, counters and the delay do not carry
 * over, as if the process had just been killed. The seed plays the part it has in simulated_disk_create.
 */
SimulatedDisk *simulated_disk_snapshot(SimulatedDisk *disk, uint64_t seed);

/*
 * Lets the process die or the power fail. The seed decides what a SIMULATED_CRASH_LOSE_SOME keeps. After a power loss
 * what is left is durable.
 *
 * Every handle that SQLite has open on the disk becomes dead: each call on it fails with an I/O error, except
 * unlocking and closing, which succeed. Its locks and its shared memory are gone and new opens start afresh. Dead
 * connections should be closed before others are opened on the same paths, since SQLite deletes journals by name and
 * this disk cannot tell who asks. Planned faults and counters stay.
 */
void simulated_disk_crash(SimulatedDisk *disk, SimulatedCrash kind, uint64_t seed);

/*
 * Limits the visible size of all files together, in bytes; UINT64_MAX lifts the limit. A write that would make a file
 * grow beyond it fails with SQLITE_FULL and writes nothing. Temporary files do not count.
 */
void simulated_disk_set_capacity(SimulatedDisk *disk, uint64_t bytes);

/* Sets the time that SQLite sees while the disk is mounted, in nanoseconds since 1970 (UTC). */
void simulated_disk_set_time(SimulatedDisk *disk, int64_t unix_nanoseconds);

/* Sets what xDeviceCharacteristics answers: SQLITE_IOCAP_ bits. 0, the initial value, promises nothing. */
void simulated_disk_set_characteristics(SimulatedDisk *disk, int characteristics);

/*
 * Returns the nanoseconds that slow calls and SQLite's sleeps (busy timeouts) took since the last call, and starts
 * over from 0. Nothing ever really waits.
 */
uint64_t simulated_disk_take_delay(SimulatedDisk *disk);

/* ---- The VFS ---- */

/*
 * Registers the VFS "simulated" with SQLite, beside the system's, once for the life of the process; later calls only
 * apply make_default (not 0: it becomes the default VFS; 0: the default stays what it is). Returns SQLITE_OK or the
 * error of SQLite.
 *
 * SQLite seeds its own generator from the default VFS. For the same bytes every time, either make this VFS the
 * default and call sqlite3_randomness(0, NULL) after mounting, or give SQLite a seed other than 0 with
 * sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, seed, NULL).
 */
int simulated_disk_register_vfs(int make_default);

/*
 * Makes the disk the one that newly opened files live on, and that deletions, existence checks, time, sleeping and
 * randomness refer to. Open files stay on the disk that they were opened on. NULL mounts none: opening then fails with
 * SQLITE_CANTOPEN. The disk stays owned by the caller.
 */
void simulated_disk_mount(SimulatedDisk *disk);

/* Returns the mounted disk, or NULL. */
SimulatedDisk *simulated_disk_mounted(void);

/* ---- Faults ---- */

/*
 * Plans a fault: the next `after` matching calls pass, then `count` calls fail (UINT64_MAX: all that follow). Replaces
 * an earlier plan for the same kind. When several kinds are due at one call, the first of FULL, WRITE_ERROR and
 * SHORT_WRITE (or SYNC_ERROR and LOST_SYNC) is delivered and the others wait for the next call. Temporary files of
 * SQLite, which have no name on the disk, neither match nor count. An unknown kind is ignored.
 */
void simulated_disk_inject(SimulatedDisk *disk, SimulatedFault kind, uint64_t after, uint64_t count);

/* Forgets all planned faults. Capacity and counters stay. */
void simulated_disk_clear_faults(SimulatedDisk *disk);

/* While faults are suspended, calls neither meet planned ones nor count: for an observer beside the program. */
void simulated_disk_suspend_faults(SimulatedDisk *disk, int suspended);

/* Returns how many faults of the kind have been delivered since the disk was created. */
uint64_t simulated_disk_fired(SimulatedDisk *disk, SimulatedFault kind);

/* Returns how many calls have matched the kind since the disk was created, so that a caller can aim at the n-th. */
uint64_t simulated_disk_calls(SimulatedDisk *disk, SimulatedFault kind);

/*
 * Flips one random bit at an offset in [from, to), cut to the visible size, in the visible content and in every
 * version that a crash could bring back. Returns the offset, or -1 if there is no such file or no such byte.
 */
int64_t simulated_disk_rot(SimulatedDisk *disk, const char *path, int64_t from, int64_t to, uint64_t seed);

/* ---- Plain file access, for programs beside SQLite: same files, same faults, same rules of durability ---- */

/* Returns the visible size in bytes, or -1 if there is no such file. */
int64_t simulated_disk_size(SimulatedDisk *disk, const char *path);

/*
 * Reads up to count bytes at the offset into the buffer. Returns the number of bytes read, less than count only at the
 * end of the file, or -1 (no such file, an injected error, a negative offset or count).
 */
int64_t simulated_disk_read(SimulatedDisk *disk, const char *path, int64_t offset, void *buffer, int64_t count);

/*
 * Writes count bytes at the offset, like pwrite: creates a missing file, fills a gap with zeros, and is not durable
 * before a sync. Returns count, or -1 (injected errors, which may have written a prefix; disk full; a negative offset
 * or count; a path that is not absolute or too long).
 */
int64_t simulated_disk_write(
    SimulatedDisk *disk, const char *path, int64_t offset, const void *bytes, int64_t count);

/* Sets the size in bytes; growing adds zeros. Not durable before a sync. Returns 0, or -1. */
int simulated_disk_truncate(SimulatedDisk *disk, const char *path, int64_t size);

/* Makes the file's content, its name and all earlier removals and renames durable. Returns 0, or -1. */
int simulated_disk_sync(SimulatedDisk *disk, const char *path);

/* Makes all names durable (files created, removed and renamed), and no content; like syncing the directory. */
void simulated_disk_sync_names(SimulatedDisk *disk);

/* Removes the name. Open handles keep the file. A power loss may undo it. Returns 0, or -1 if there is no such file. */
int simulated_disk_remove(SimulatedDisk *disk, const char *path);

/*
 * Renames a file, replacing one that has the new name, in one step. A power loss may undo it. Returns 0, or -1 (no such
 * file, bad new path). Renaming a file to its own name does nothing.
 */
int simulated_disk_rename(SimulatedDisk *disk, const char *from, const char *to);

/*
 * Copies the visible content to a new file with a new inode, not durable before a sync; a file of that name is removed
 * first. Counts as one read, one creation and one write. Returns 0, or -1, which may leave an empty or cut copy. A
 * file cannot be copied to itself.
 */
int simulated_disk_copy(SimulatedDisk *disk, const char *from, const char *to);

/* Returns the number of the file that has this name now, or 0 if there is none. */
uint64_t simulated_disk_inode(SimulatedDisk *disk, const char *path);

/* Returns how many named files there are. */
int simulated_disk_count(SimulatedDisk *disk);

/*
 * Returns the path of the file at the index, in the order of the paths' bytes, or NULL outside [0, count). It belongs
 * to the disk and is valid until a file is created, removed or renamed or the disk crashes.
 */
const char *simulated_disk_path(SimulatedDisk *disk, int index);

/*
 * Returns why the latest failed call of plain file access failed, as an SQLite result code: SQLITE_FULL,
 * SQLITE_CANTOPEN (no such file, bad path, injected), SQLITE_MISUSE (negative offset, count or size), or the
 * SQLITE_IOERR_ code of an injected error. SQLITE_OK before any has failed.
 */
int simulated_disk_last_error(SimulatedDisk *disk);

#ifdef __cplusplus
}
#endif

#endif
