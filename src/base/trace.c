#include "base/trace.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static enum wr_level loudest = WR_INFO;

void wr_trace_level(enum wr_level level)
{
    loudest = level;
}

/* Copy `text` to `out` with control characters as \xNN; both sizes count the NUL. */
static size_t escape(const char *text, char *out, size_t cap)
{
    static const char hex[] = "0123456789abcdef";
    size_t n = 0;
    for (const unsigned char *p = (const unsigned char *)text; *p != 0 && n + 5 < cap; p++) {
        if (*p >= 0x20 && *p != 0x7f) {
            out[n++] = (char)*p;
            continue;
        }
        out[n++] = '\\';
        out[n++] = 'x';
        out[n++] = hex[*p >> 4];
        out[n++] = hex[*p & 15];
    }
    out[n] = 0;
    return n;
}

void wr_trace(enum wr_level level, const char *context, const char *fmt, ...)
{
    static const char *const names[] = {"error ", "warn ", "", "debug "};
    if (level > loudest) {
        return;
    }
    char text[1024];
    char line[1400];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    int n = snprintf(line, sizeof(line), "weir: %s%s: ", names[level], context);
    size_t used = n < 0 || n > 200 ? 0 : (size_t)n;
    used += escape(text, line + used, sizeof(line) - used - 1);
    line[used++] = '\n';
    ssize_t written = write(STDERR_FILENO, line, used); /* one write: lines never mix */
    WR_UNUSED(written);
}
