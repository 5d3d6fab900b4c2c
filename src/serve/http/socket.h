/*
 * socket.h - the Unix socket in a data folder, DIR/weir.sock, and who may use it.
 *
 * The socket has mode 0600, and each connection's peer must be the same user or root. It appears under its
 * name only when it answers: it is bound under another one first and renamed, so whoever finds it can
 * connect. A path over 107 bytes is reached through /proc/self/fd.
 */
#ifndef WR_HTTP_SOCKET_H
#define WR_HTTP_SOCKET_H

#include "base/error.h"

#define WR_SOCKET_NAME "weir.sock"

/* A way to a folder that fits into a socket's address: the folder itself, or /proc/self/fd/N. */
struct wr_socket_dir {
    int fd; /* of the folder, when the way needs it; else -1 */
    char path[128];
};

/* Find it. Owned by the caller, let go with wr_socket_dir_close(); what was made of `path` goes with it.
 * WEIR_E_NOTFOUND, WEIR_E_IO. */
WR_MUST_USE int wr_socket_dir_open(const char *dir, struct wr_socket_dir *out,
                                   struct weir_error *err);

/* Let go. Takes one that was not opened (fd -1). */
void wr_socket_dir_close(struct wr_socket_dir *dir);

/* Make the socket of a folder, whose lock the caller holds, and listen; what is left of a former one is
 * replaced. Returns the descriptor, owned by the caller, or a WEIR_E_ code. */
WR_MUST_USE int wr_socket_listen(const struct wr_socket_dir *dir, struct weir_error *err);

/* Take the name away. What is connected stays connected. */
void wr_socket_remove(const struct wr_socket_dir *dir);

/* Does somebody listen there? Connects and hangs up. */
bool wr_socket_answers(const struct wr_socket_dir *dir);

/* May the other side of a connected socket use weir: is it the same user, or root? */
bool wr_socket_peer_is_good(int fd);

#endif
