/*
 * wire.h - the recorded bytes of this folder, for tests.
 *
 * A file comes in memory of exactly its size, so that a sanitizer sees a read past its end.
 */
#ifndef WR_TEST_WIRE_H
#define WR_TEST_WIRE_H

#include "base/base.h"

#include <stdio.h>

enum {
    WIRE_MAX_BYTES = 1 << 20
};

/* A copy of exactly `len` bytes, owned by the caller (free). Aborts when out of memory. */
static inline uint8_t *wire_copy(const uint8_t *bytes, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    if (copy == NULL) {
        abort();
    }
    if (len > 0) {
        memcpy(copy, bytes, len);
    }
    return copy;
}

/* The file test/wire/`folder`/`name`.bin. `ptr` is owned by the caller (free). Aborts when it is not
 * there: meson gives its place as WEIR_WIRE. */
static inline struct wr_bytes wire_load(const char *folder, const char *name)
{
    static uint8_t buffer[WIRE_MAX_BYTES];
    char path[512];
    int n = snprintf(path, sizeof(path), WEIR_WIRE "/%s/%s.bin", folder, name);
    FILE *file = n > 0 && (size_t)n < sizeof(path) ? fopen(path, "rb") : NULL;
    if (file == NULL) {
        (void)fprintf(stderr, "no %s\n", path);
        abort();
    }
    size_t len = fread(buffer, 1, sizeof(buffer), file);
    (void)fclose(file);
    return (struct wr_bytes){wire_copy(buffer, len), len};
}

#endif
