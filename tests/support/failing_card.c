/* Lets one call of the system that writes to a folder fail, and perhaps all that follow for a time: what a card does that is
 * about to die. A write of no bytes does not reach the card, so it never fails. Loaded into a program by LD_PRELOAD.
 *
 * CARD_FOLDER    the folder, as an absolute path without links
 * CARD_CONTROL   a file of 32 bytes: how many such calls there were; how many failed; not 0: the card is well again; unused
 * CARD_CALL      which call fails, from 1 on; 0: none
 * CARD_ERROR     the error, as errno
 * CARD_MODE      "once", "second" (for a second), "good" (until the control file says otherwise), or "short" (this call
 *                writes half, and the next one fails)
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static volatile uint64_t *control;
static uint64_t wanted;
static int error;
static const char *folder;
static const char *mode;
static volatile uint64_t failed_at;

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

__attribute__((constructor)) static void begin(void) {
    const char *file = getenv("CARD_CONTROL");
    folder = getenv("CARD_FOLDER");
    mode = getenv("CARD_MODE");
    if (!file || !folder || !mode) return;
    wanted = strtoull(getenv("CARD_CALL"), NULL, 10);
    error = atoi(getenv("CARD_ERROR"));
    int fd = open(file, O_RDWR);
    if (fd < 0) return;
    void *map = mmap(NULL, 32, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (map != MAP_FAILED) control = map;
}

static int ours(const char *path) {
    return strncmp(path, folder, strlen(folder)) == 0;
}

static int of_ours(int fd) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return ours(path);
}

/* 0: it succeeds; 1: it fails; 2: it writes half. */
static int verdict(void) {
    uint64_t number = __atomic_add_fetch(&control[0], 1, __ATOMIC_SEQ_CST);
    int bad = 0;
    if (wanted == 0) return 0;
    if (strcmp(mode, "once") == 0) bad = number == wanted;
    if (strcmp(mode, "short") == 0) {
        if (number == wanted) return 2;
        bad = number == wanted + 1;
    }
    if (number >= wanted && strcmp(mode, "second") == 0) {
        if (failed_at == 0) failed_at = now();
        bad = now() - failed_at < 1000;
    }
    if (strcmp(mode, "good") == 0) bad = number >= wanted && control[2] == 0;
    if (bad) {
        __atomic_add_fetch(&control[1], 1, __ATOMIC_SEQ_CST);
        errno = error;
    }
    return bad;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define CHECKED(name, is_ours, call)            \
    {                                           \
        if (!control || count == 0 || !(is_ours)) return call; \
        int said = verdict();                   \
        if (said == 1) return -1;               \
        if (said == 2 && count > 1) count /= 2; \
        return call;                            \
    }

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at)
    CHECKED(pwrite, of_ours(fd), REAL(pwrite)(fd, bytes, count, at))
ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at)
    CHECKED(pwrite64, of_ours(fd), REAL(pwrite64)(fd, bytes, count, at))
ssize_t write(int fd, const void *bytes, size_t count)
    CHECKED(write, of_ours(fd), REAL(write)(fd, bytes, count))

#define WHOLE(name, is_ours, call)              \
    {                                           \
        if (control && (is_ours) && verdict() == 1) return -1; \
        return call;                            \
    }

int fsync(int fd) WHOLE(fsync, of_ours(fd), REAL(fsync)(fd))
int fdatasync(int fd) WHOLE(fdatasync, of_ours(fd), REAL(fdatasync)(fd))
int ftruncate(int fd, off_t length) WHOLE(ftruncate, of_ours(fd), REAL(ftruncate)(fd, length))
int ftruncate64(int fd, off64_t length) WHOLE(ftruncate64, of_ours(fd), REAL(ftruncate64)(fd, length))
int sync_file_range(int fd, off64_t from, off64_t count, unsigned int flags)
    WHOLE(sync_file_range, of_ours(fd), REAL(sync_file_range)(fd, from, count, flags))
int rename(const char *from, const char *to) WHOLE(rename, ours(from), REAL(rename)(from, to))
