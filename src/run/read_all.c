#include "run/read_all.h"

#include "base/writer.h"

#include <fcntl.h>
#include <unistd.h>

enum {
    STEP = 64 * 1024
};

static int read_to_end(int fd, const char *path, struct wr_writer *out, struct weir_error *err)
{
    for (;;) {
        uint8_t *room = wr_writer_room(out, STEP);
        if (room == NULL) {
            return wr_fail(err, WEIR_E_LIMIT, "'%.200s' has more than %zu bytes", path,
                           out->max - STEP - 1);
        }
        ssize_t n = read(fd, room, STEP);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return wr_fail_errno(err, WEIR_E_IO, "read '%.200s'", path);
        }
        if (n == 0) {
            return 0;
        }
        wr_writer_advance(out, (size_t)n);
    }
}

int wr_read_all(const char *path, size_t max, struct wr_bytes *out, struct weir_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return wr_fail_errno(err, errno == ENOENT ? WEIR_E_NOTFOUND : WEIR_E_IO, "open '%.200s'",
                             path);
    }
    struct wr_writer text = wr_writer_growing(max + STEP + 1);
    int rc = read_to_end(fd, path, &text, err);
    (void)close(fd);
    if (rc == 0 && text.len > max) {
        rc = wr_fail(err, WEIR_E_LIMIT, "'%.200s' has more than %zu bytes", path, max);
    }
    char *copy = rc < 0 ? NULL : wr_strdup(wr_writer_str(&text));
    if (rc == 0 && copy == NULL) {
        rc = wr_fail(err, WEIR_E_NOMEM, "'%.200s'", path);
    }
    if (rc == 0) {
        *out = (struct wr_bytes){(const uint8_t *)copy, text.len};
    }
    wr_writer_fini(&text);
    return rc;
}
