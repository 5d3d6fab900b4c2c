#include "run/folder.h"

#include "base/clock.h"
#include "base/wake.h"
#include "run/read_all.h"
#include "serve/http/socket.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define LOCK_NAME ".lock"

enum {
    WORDS_BYTES_MAX = 64 * 1024, /* of a command line */
    POKE = 35 /* SIGRTMIN + 1 in glibc; interrupts the thread that waits for the lock */
};

/* Waits for the lock in a thread of its own, since flock(2) has no time limit. */
struct lock_wait {
    int fd;
    struct wr_wake done;
    pthread_t thread;
};

static void poked(int signal)
{
    WR_UNUSED(signal);
}

static void *wait_for_lock(void *arg)
{
    struct lock_wait *wait = arg;
    sigset_t poke;
    (void)sigemptyset(&poke);
    (void)sigaddset(&poke, POKE);
    (void)pthread_sigmask(SIG_UNBLOCK, &poke, NULL);
    if (flock(wait->fd, LOCK_SH) == 0) {
        (void)flock(wait->fd, LOCK_UN); /* only to know: who asked takes it himself */
    }
    wr_wake_signal(&wait->done);
    return NULL;
}

static int lock_path(const char *dir, char *out, size_t len, struct weir_error *err)
{
    int n = snprintf(out, len, "%s/%s", dir, LOCK_NAME);
    return n < 0 || (size_t)n >= len
               ? wr_fail(err, WEIR_E_IO, "the path '%.100s…' is too long", dir)
               : 0;
}

static int start_wait(const char *dir, struct lock_wait *wait, struct weir_error *err)
{
    char path[4096];
    const struct sigaction action = {.sa_handler = poked}; /* no SA_RESTART: flock shall end */
    int rc = lock_path(dir, path, sizeof(path), err);
    rc = rc < 0 ? rc : wr_wake_open(&wait->done, err);
    if (rc < 0) {
        return rc;
    }
    wait->fd = open(path, O_RDONLY | O_CLOEXEC);
    (void)sigaction(POKE, &action, NULL);
    if (wait->fd < 0 || pthread_create(&wait->thread, NULL, wait_for_lock, wait) != 0) {
        rc = wr_fail_errno(err, WEIR_E_IO, "wait for '%.200s'", path);
        if (wait->fd >= 0) {
            (void)close(wait->fd);
        }
        wr_wake_close(&wait->done);
    }
    return rc;
}

static void end_wait(struct lock_wait *wait)
{
    /* The signal may come a moment before flock() begins: again until it has ended. */
    while (wr_wait_any(&wait->done.fd, 1, 0) < 0) {
        (void)pthread_kill(wait->thread, POKE);
        (void)wr_wait_any(&wait->done.fd, 1, 1);
    }
    (void)pthread_join(wait->thread, NULL);
    (void)close(wait->fd);
    wr_wake_close(&wait->done);
}

bool wr_folder_is_served(const char *dir)
{
    struct wr_socket_dir way = {.fd = -1};
    struct weir_error err;
    bool answers = wr_socket_dir_open(dir, &way, &err) == 0 && wr_socket_answers(&way);
    wr_socket_dir_close(&way);
    return answers;
}

static void drain(int fd)
{
    char events[4096];
    while (read(fd, events, sizeof(events)) > 0) {
    }
}

static enum wr_folder_event wait_for_event(const char *dir, int watch, const struct lock_wait *lock,
                                           int timeout_ms, int stop_fd)
{
    const int fds[] = {lock->done.fd, stop_fd, watch};
    int64_t deadline_ms = wr_mono_ms(wr_clock_os()) + timeout_ms;
    for (;;) {
        int64_t left_ms = deadline_ms - wr_mono_ms(wr_clock_os());
        if (wr_folder_is_served(dir)) { /* the watch was set before, so none is missed */
            return WR_FOLDER_SERVED;
        }
        int index = left_ms <= 0 ? -1 : wr_wait_any(fds, 3, (int)left_ms);
        if (index == 0) {
            return WR_FOLDER_FREE;
        }
        if (index == 1) {
            return WR_FOLDER_STOP;
        }
        if (index == 2) {
            drain(watch);
        } else if (left_ms <= 0) {
            return WR_FOLDER_TIME;
        }
    }
}

int wr_folder_wait(const char *dir, int timeout_ms, int stop_fd, enum wr_folder_event *out,
                   struct weir_error *err)
{
    struct lock_wait lock = {.fd = -1};
    int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (watch < 0 || inotify_add_watch(watch, dir, IN_MOVED_TO | IN_CREATE) < 0) {
        int rc = wr_fail_errno(err, WEIR_E_IO, "watch '%.200s'", dir);
        if (watch >= 0) {
            (void)close(watch);
        }
        return rc;
    }
    int rc = start_wait(dir, &lock, err);
    if (rc == 0) {
        *out = wait_for_event(dir, watch, &lock, timeout_ms, stop_fd);
        end_wait(&lock);
    }
    (void)close(watch);
    return rc;
}

/* ---- who it is ---- */

/* The process in a line of /proc/locks that is about the inode, or 0:
 *     1: FLOCK  ADVISORY  WRITE 1234 08:02:5678 0 EOF */
static long holder_in(const char *line, const struct stat *st)
{
    char inode[64];
    (void)snprintf(inode, sizeof(inode), "%02x:%02x:%" PRIu64 " ", major(st->st_dev),
                   minor(st->st_dev), (uint64_t)st->st_ino);
    const char *at = strstr(line, inode);
    const char *word = strstr(line, "WRITE ");
    bool is_held = at != NULL && word != NULL && strstr(line, "->") == NULL;
    return is_held ? strtol(word + 6, NULL, 10) : 0;
}

static long find_holder(const char *dir)
{
    char path[4096];
    char line[256];
    struct stat st;
    struct weir_error err;
    FILE *locks = fopen("/proc/locks", "re");
    long pid = 0;
    bool is_known = lock_path(dir, path, sizeof(path), &err) == 0 && stat(path, &st) == 0;
    while (locks != NULL && is_known && pid == 0 && fgets(line, sizeof(line), locks) != NULL) {
        pid = holder_in(line, &st);
    }
    if (locks != NULL) {
        (void)fclose(locks);
    }
    return pid;
}

void wr_folder_holder(const char *dir, char *out, size_t len)
{
    char path[64];
    struct wr_bytes words = {NULL, 0};
    struct weir_error err;
    long pid = find_holder(dir);
    if (pid <= 0) {
        (void)snprintf(out, len, "another process");
        return;
    }
    (void)snprintf(path, sizeof(path), "/proc/%ld/cmdline", pid);
    if (wr_read_all(path, WORDS_BYTES_MAX, &words, &err) < 0) {
        (void)snprintf(out, len, "process %ld", pid);
        return;
    }
    /* Program and command: "weir run". */
    const char *program = (const char *)words.ptr;
    const char *slash = strrchr(program, '/');
    size_t first = strlen(program) + 1;
    const char *command = first < words.len ? program + first : "";
    (void)snprintf(out, len, "process %ld (%.40s %.40s)", pid, slash == NULL ? program : slash + 1,
                   command);
    wr_free((void *)(uintptr_t)words.ptr);
}

int wr_folder_advise(struct weir_error *err)
{
    const struct weir_error said = *err;
    const char *advice = NULL;
    switch (said.sys) {
    case EROFS:
    case EACCES:
    case EPERM:
        advice = "let this user write there, or name another folder by log.dir or --dir";
        break;
    case ENOSPC:
    case EDQUOT: advice = "make room there, or name another folder by log.dir or --dir"; break;
    case ENOTDIR:
    case EEXIST: advice = "name a folder by log.dir or --dir"; break;
    default: break;
    }
    if (advice != NULL) {
        (void)wr_fail(err, said.code, "%s; %s", said.text, advice);
        err->sys = said.sys;
    }
    return said.code;
}
