#include "serve/http/socket.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define NEW_NAME WR_SOCKET_NAME ".new"

enum {
    BACKLOG = 64,
    NAME_MAX_LEN = sizeof("/" NEW_NAME)
};

int wr_socket_dir_open(const char *dir, struct wr_socket_dir *out, struct weir_error *err)
{
    struct wr_socket_dir way = {.fd = -1};
    struct sockaddr_un address;
    size_t len = strlen(dir);
    if (len + NAME_MAX_LEN <= sizeof(address.sun_path)) {
        memcpy(way.path, dir, len + 1);
        *out = way;
        return 0;
    }
    way.fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (way.fd < 0) {
        return wr_fail_errno(err, errno == ENOENT ? WEIR_E_NOTFOUND : WEIR_E_IO, "open '%.200s'",
                             dir);
    }
    (void)snprintf(way.path, sizeof(way.path), "/proc/self/fd/%d", way.fd);
    *out = way;
    return 0;
}

void wr_socket_dir_close(struct wr_socket_dir *dir)
{
    if (dir->fd >= 0) {
        (void)close(dir->fd);
    }
    dir->fd = -1;
}

static struct sockaddr_un address_of(const struct wr_socket_dir *dir, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%.90s/%s", dir->path, name);
    return address;
}

static int bind_and_listen(int fd, const struct wr_socket_dir *dir, struct weir_error *err)
{
    struct sockaddr_un fresh = address_of(dir, NEW_NAME);
    struct sockaddr_un name = address_of(dir, WR_SOCKET_NAME);
    (void)unlink(fresh.sun_path); /* left behind by a crash */
    bool is_there = bind(fd, (const struct sockaddr *)&fresh, sizeof(fresh)) == 0 &&
                    chmod(fresh.sun_path, S_IRUSR | S_IWUSR) == 0 && listen(fd, BACKLOG) == 0 &&
                    rename(fresh.sun_path, name.sun_path) == 0;
    return is_there ? 0 : wr_fail_errno(err, WEIR_E_IO, "socket '%s'", name.sun_path);
}

int wr_socket_listen(const struct wr_socket_dir *dir, struct weir_error *err)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return wr_fail_errno(err, WEIR_E_IO, "a Unix socket");
    }
    int rc = bind_and_listen(fd, dir, err);
    if (rc < 0) {
        (void)close(fd);
        return rc;
    }
    return fd;
}

void wr_socket_remove(const struct wr_socket_dir *dir)
{
    struct sockaddr_un name = address_of(dir, WR_SOCKET_NAME);
    (void)unlink(name.sun_path);
}

bool wr_socket_answers(const struct wr_socket_dir *dir)
{
    struct sockaddr_un name = address_of(dir, WR_SOCKET_NAME);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool answers = fd >= 0 && connect(fd, (const struct sockaddr *)&name, sizeof(name)) == 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    return answers;
}

bool wr_socket_peer_is_good(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
           (peer.uid == geteuid() || peer.uid == 0);
}
