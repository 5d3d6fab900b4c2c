#include "run/progress.h"

#include "base/clock.h"
#include "run/table.h"

#include <stdio.h>
#include <unistd.h>

enum {
    BAR_WIDTH = 30,
    FIRST_MS = 500,
    EVERY_MS = 100
};

struct wr_progress wr_progress_of(const char *what)
{
    return (struct wr_progress){.what = what, .is_terminal = isatty(STDERR_FILENO) == 1};
}

void wr_progress_text(const char *what, uint64_t done, uint64_t total, char *out, size_t len)
{
    char bar[BAR_WIDTH + 1];
    char done_text[16];
    char total_text[16];
    double part = total == 0 ? 1 : (double)done / (double)total;
    part = part > 1 ? 1 : part;
    int full = (int)(part * BAR_WIDTH);
    memset(bar, '#', (size_t)full);
    memset(bar + full, ' ', (size_t)(BAR_WIDTH - full));
    bar[BAR_WIDTH] = 0;
    wr_bytes_text(done, done_text);
    if (total == 0) {
        (void)snprintf(out, len, "%s: %s", what, done_text);
        return;
    }
    wr_bytes_text(total, total_text);
    (void)snprintf(out, len, "%s [%s] %3d %%, %s of %s", what, bar, (int)(part * 100), done_text,
                   total_text);
}

void wr_progress_show(struct wr_progress *progress, uint64_t done, uint64_t total)
{
    char text[160];
    int64_t now_ms = wr_mono_ms(wr_clock_os());
    if (!progress->is_terminal) {
        return;
    }
    progress->start_ms = progress->start_ms == 0 ? now_ms : progress->start_ms;
    if (now_ms - progress->start_ms < FIRST_MS || now_ms - progress->last_ms < EVERY_MS) {
        return;
    }
    progress->last_ms = now_ms;
    progress->is_shown = true;
    wr_progress_text(progress->what, done, total, text, sizeof(text));
    fprintf(stderr, "\r%s\x1b[K", text);
}

void wr_progress_clear(struct wr_progress *progress)
{
    if (progress->is_shown) {
        fprintf(stderr, "\r\x1b[K");
        progress->is_shown = false;
    }
}
