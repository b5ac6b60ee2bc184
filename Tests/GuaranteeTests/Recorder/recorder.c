// Loaded before a program's libraries: writes down every write and sync to files below TRACE_FOLDER, in order, so that
// a test can ask what a power cut at any moment would have left on the disk.
//
// An event: op (1 byte), file number (4), offset (8), length (4), then `length` bytes. Op 'o': the bytes are the path;
// 'w' a write; 't' a truncation to offset; 's' a sync; 'u' a removal, the bytes are the path.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int log_file = -1;
static int numbers[65536];
static int next_number = 1;

static int raw_open(const char *path, int flags, int mode) { return syscall(SYS_openat, AT_FDCWD, path, flags, mode); }

static void event(char op, uint32_t file, uint64_t offset, const void *bytes, uint32_t length) {
    if (log_file < 0) log_file = raw_open(getenv("TRACE_FILE"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    char *record = malloc(17 + length);
    record[0] = op;
    memcpy(record + 1, &file, 4);
    memcpy(record + 5, &offset, 8);
    memcpy(record + 13, &length, 4);
    if (length) memcpy(record + 17, bytes, length);
    syscall(SYS_write, log_file, record, 17 + length);
    free(record);
}

static int is_watched(const char *path) {
    const char *folder = getenv("TRACE_FOLDER");
    return folder && strncmp(path, folder, strlen(folder)) == 0 && !strstr(path, "-shm") && !strstr(path, ".lock");
}

static int opened(int file, const char *path) {
    if (file < 0 || file >= 65536) return file;
    pthread_mutex_lock(&lock);
    numbers[file] = 0;
    if (is_watched(path)) event('o', numbers[file] = next_number++, 0, path, strlen(path));
    pthread_mutex_unlock(&lock);
    return file;
}

#define OPEN(name)                                                                                                     \
    int name(const char *path, int flags, ...) {                                                                       \
        va_list rest;                                                                                                  \
        va_start(rest, flags);                                                                                         \
        int mode = flags & O_CREAT ? va_arg(rest, int) : 0;                                                            \
        va_end(rest);                                                                                                  \
        return opened(raw_open(path, flags, mode), path);                                                              \
    }
OPEN(open)
OPEN(open64)

// The change is written down before anybody can see that it has happened.
#define WRITE(name)                                                                                                    \
    ssize_t name(int file, const void *bytes, size_t length, off_t offset) {                                           \
        pthread_mutex_lock(&lock);                                                                                     \
        ssize_t count = syscall(SYS_pwrite64, file, bytes, length, offset);                                            \
        if (count > 0 && file < 65536 && numbers[file]) event('w', numbers[file], offset, bytes, count);               \
        pthread_mutex_unlock(&lock);                                                                                   \
        return count;                                                                                                  \
    }
WRITE(pwrite)
WRITE(pwrite64)

#define TRUNCATE(name)                                                                                                 \
    int name(int file, off_t length) {                                                                                 \
        pthread_mutex_lock(&lock);                                                                                     \
        int result = syscall(SYS_ftruncate, file, length);                                                             \
        if (result == 0 && file < 65536 && numbers[file]) event('t', numbers[file], length, 0, 0);                     \
        pthread_mutex_unlock(&lock);                                                                                   \
        return result;                                                                                                 \
    }
TRUNCATE(ftruncate)
TRUNCATE(ftruncate64)

// The disk's own failure, once the file SYNC_FAILS is there.
static int fails(void) {
    const char *marker = getenv("SYNC_FAILS");
    return marker && access(marker, F_OK) == 0;
}

#define SYNC(name, number)                                                                                             \
    int name(int file) {                                                                                               \
        if (fails() && file < 65536 && numbers[file]) {                                                                \
            errno = EIO;                                                                                               \
            return -1;                                                                                                 \
        }                                                                                                              \
        int result = syscall(number, file);                                                                            \
        pthread_mutex_lock(&lock);                                                                                     \
        if (result == 0 && file < 65536 && numbers[file]) event('s', numbers[file], 0, 0, 0);                          \
        pthread_mutex_unlock(&lock);                                                                                   \
        return result;                                                                                                 \
    }
SYNC(fsync, SYS_fsync)
SYNC(fdatasync, SYS_fdatasync)

int unlink(const char *path) {
    pthread_mutex_lock(&lock);
    int result = syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    if (result == 0 && is_watched(path)) event('u', 0, 0, path, strlen(path));
    pthread_mutex_unlock(&lock);
    return result;
}
