#include "base/wake.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

int wr_wake_open(struct wr_wake *wake, struct weir_error *err)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) {
        return wr_fail_errno(err, WEIR_E_IO, "eventfd");
    }
    wake->fd = fd;
    return 0;
}

void wr_wake_close(struct wr_wake *wake)
{
    if (wake->fd >= 0) {
        (void)close(wake->fd);
    }
    wake->fd = -1;
}

void wr_wake_signal(const struct wr_wake *wake)
{
    uint64_t one = 1;
    /* It can only fail when the counter is full, and then the descriptor is readable anyway. */
    ssize_t n = write(wake->fd, &one, sizeof(one));
    WR_UNUSED(n);
}

bool wr_wake_clear(const struct wr_wake *wake)
{
    uint64_t count;
    return read(wake->fd, &count, sizeof(count)) == (ssize_t)sizeof(count);
}

int wr_wait_any(const int *fds, size_t count, int timeout_ms)
{
    enum {
        MAX = 16
    };
    WR_ASSERT(count <= MAX);
    struct pollfd polled[MAX];
    for (size_t i = 0; i < count; i++) {
        polled[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
    }
    if (poll(polled, count, timeout_ms) <= 0) {
        return -1; /* the time has passed, or a signal came: the caller looks and waits again */
    }
    for (size_t i = 0; i < count; i++) {
        if (polled[i].revents != 0) {
            return (int)i;
        }
    }
    return -1;
}
