/*
 * trace.h - weir's log lines, on standard error: level, context, sentence, key=value.
 *
 *     weir: warn source/app: lost session, retry in 800 ms attempt=3
 *
 * Library code does not report failures here, it returns them; who ends the propagation says it once.
 * Control characters in the text are escaped, so that nothing from outside can forge a line.
 *
 * Thread: any; a line is written whole.
 */
#ifndef WR_TRACE_H
#define WR_TRACE_H

#include "base/base.h"

enum wr_level {
    WR_ERROR,
    WR_WARN,
    WR_INFO,
    WR_DEBUG
};

/* Lines above `level` are dropped. The default is WR_INFO. Set once, before threads start. */
void wr_trace_level(enum wr_level level);

/* Write one line. `context` is "module" or "module/name"; the sentence has no full stop. */
void wr_trace(enum wr_level level, const char *context, const char *fmt, ...) WR_PRINTF(3, 4);

#endif
