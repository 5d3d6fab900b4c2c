/*
 * error.h - how every function in weir says that it failed.
 *
 * A function that can fail returns int: 0, or one WEIR_E_ code below. The last parameter,
 * `err`, gets the same code with the sentence a person needs. `err` is never NULL, belongs to
 * the caller, needs no init and no free, and is written only on failure.
 *
 * Thread: a struct weir_error is plain memory; one thread uses it at a time.
 */
#ifndef WEIR_ERROR_H
#define WEIR_ERROR_H

#if defined(__GNUC__)
#define WEIR_MUST_USE __attribute__((warn_unused_result))
#else
#define WEIR_MUST_USE
#endif

enum weir_class {
    WEIR_RETRY,  /* the same call may succeed later */
    WEIR_CALLER, /* the input is wrong; do not repeat it */
    WEIR_FATAL   /* the object that returned it takes no more work; close it */
};

#define WEIR_CODES(X)                                               \
    X(AGAIN, -1, RETRY, "not ready, call again")                    \
    X(NOMEM, -2, RETRY, "out of memory")                            \
    X(LIMIT, -3, CALLER, "over a configured limit")                 \
    X(CONFIG, -4, CALLER, "configuration is not valid")             \
    X(RANGE, -5, CALLER, "outside what there is")                   \
    X(INPUT, -6, CALLER, "what was handed in is not valid")         \
    X(CORRUPT, -7, FATAL, "stored or received bytes are not valid") \
    X(IO, -8, FATAL, "input or output failed")                      \
    X(NOTFOUND, -9, CALLER, "there is no such thing")               \
    X(EXISTS, -10, CALLER, "it is there already")                   \
    X(FULL, -11, RETRY, "the disk is full")                         \
    X(BUSY, -12, RETRY, "somebody else holds it")                   \
    X(FENCED, -13, FATAL, "a later one has taken over")             \
    X(STOPPED, -14, CALLER, "asked to stop")                        \
    X(CONNECT, -15, RETRY, "the other side does not answer")        \
    X(REFUSED, -16, CALLER, "a condition does not hold")            \
    X(UNSUPPORTED, -17, CALLER, "not possible here")                \
    X(DAMAGED, -18, CALLER, "the place is damaged on disk; others still serve")

enum weir_code {
#define X(name, number, class, text) WEIR_E_##name = (number),
    WEIR_CODES(X)
#undef X
};

enum {
    WEIR_ERROR_TEXT_MAX = 480
};

struct weir_error {
    int code;                       /* a WEIR_E_ code */
    int sys;                        /* errno, or 0 */
    const char *file;               /* where it was first seen; static storage */
    int line;                       /* 1-based */
    char text[WEIR_ERROR_TEXT_MAX]; /* NUL-terminated UTF-8, cut with "..." when too long */
};

/* The text or class of a code. Text is in static storage; "unknown error" for any other number. */
const char *weir_code_text(int code);
enum weir_class weir_code_class(int code);

#endif
