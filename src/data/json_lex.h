/*
 * json_lex.h - the tokens of JSON text (RFC 8259): where each ends, what it says. Used by json_scan.c.
 *
 * A lexer walks with a plain pointer, for speed, and compares it with `end` before every read: nothing
 * outside [base, end) is touched. Each function takes the place of its token, returns the place behind
 * it, and NULL when the text is wrong there; then `what` and `at` say so.
 */
#ifndef WR_JSON_LEX_H
#define WR_JSON_LEX_H

#include "base/error.h"

struct wr_json_lex {
    const uint8_t *base;
    const uint8_t *end;
    const char *what;  /* what is wrong, or NULL while good; static storage */
    const uint8_t *at; /* where */
    bool is_too_deep;  /* what is wrong is a limit of ours */
};

/* Say that the text is wrong at `at`. Always NULL. */
const uint8_t *wr_json_spoil(struct wr_json_lex *lex, const uint8_t *at, const char *what);

/* The first byte from `p` on that is no white space, or `end`. */
static inline const uint8_t *wr_json_space(const struct wr_json_lex *lex, const uint8_t *p)
{
    while (p < lex->end && *p <= ' ' && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')) {
        p++;
    }
    return p;
}

/* A string; `p` is behind its opening quote, the result behind the closing one. Sets `has_escape` when
 * there is one, else leaves it alone. */
const uint8_t *wr_json_string(struct wr_json_lex *lex, const uint8_t *p, bool *has_escape);

/* A number. `is_integer`: neither fraction nor exponent. */
const uint8_t *wr_json_number(struct wr_json_lex *lex, const uint8_t *p, bool *is_integer);

/* true, false or null, whichever the first letter says. */
const uint8_t *wr_json_word(struct wr_json_lex *lex, const uint8_t *p);

/* Any value with all that is in it. `depth`: how many objects and lists it stands in already. */
const uint8_t *wr_json_skip(struct wr_json_lex *lex, const uint8_t *p, uint32_t depth);

/* Write the text of a string without its escapes.
 *   body  between the quotes; wr_json_string() found it good
 *   out   room for body.len bytes
 * Returns how many bytes were written: at most body.len. */
size_t wr_json_unescape(struct wr_str body, uint8_t *out);

/* The value of a number that wr_json_number() found good. False when it has none in its type: an integer
 * over 64 bits, or a number beyond the range of a double.
 *   room  body.len + 1 bytes to work in; for doubles only */
bool wr_json_integer(struct wr_str body, int64_t *out);
bool wr_json_double(struct wr_str body, char *room, double *out);

#endif
