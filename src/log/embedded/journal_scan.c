/*
 * journal_scan.c - reads a journal back: which entries count, where it ends, and what is damaged.
 * The rules and why they hold are in journal.h.
 */
#include "log/embedded/journal.h"

#include "data/crc.h"

#include <stdio.h>

enum {
    WINDOW_BYTES = 256 * 1024,
    PATH_BYTES = 4096
};

/* One file, seen through a window that moves forward. */
struct tape {
    struct wr_file *file;
    uint64_t size;
    uint8_t *window;
    size_t cap;
    uint64_t at; /* of the window in the file */
    size_t len;
};

struct scan {
    struct tape tapes[WR_JOURNAL_FILES_MAX];
    uint64_t generation;
    uint64_t expected; /* sequence */
    uint32_t previous_crc;
    struct wr_journal_place place;
    struct wr_journal_end end;
};

static void tapes_close(struct scan *scan)
{
    for (size_t i = 0; i < WR_JOURNAL_FILES_MAX; i++) {
        wr_file_close(scan->tapes[i].file);
        wr_free(scan->tapes[i].window);
    }
}

static int tapes_open(struct scan *scan, struct wr_vfs *vfs, const char *dir,
                      struct weir_error *err)
{
    for (uint32_t i = 0; i < WR_JOURNAL_FILES_MAX; i++) {
        char path[PATH_BYTES];
        (void)snprintf(path, sizeof(path), "%s/%u", dir, i);
        struct tape *tape = &scan->tapes[i];
        int rc = wr_file_open(vfs, path, WR_OPEN_READ, &tape->file, err);
        if (rc == WEIR_E_NOTFOUND) {
            continue;
        }
        int64_t size = rc < 0 ? rc : wr_file_size(tape->file, err);
        if (size < 0) {
            return (int)size;
        }
        tape->size = (uint64_t)size;
    }
    return 0;
}

/* Move the window to `at`, and make it hold `len` bytes, unless the file ends before. */
static int tape_move(struct tape *tape, uint64_t at, size_t len, struct weir_error *err)
{
    size_t want = len > WINDOW_BYTES ? len : WINDOW_BYTES;
    tape->len = 0;
    if (want > tape->cap) {
        uint8_t *window = wr_alloc_array(want, 1);
        if (window == NULL) {
            return wr_fail(err, WEIR_E_NOMEM, "journal window of %zu bytes", want);
        }
        wr_free(tape->window);
        tape->window = window;
        tape->cap = want;
    }
    int64_t n = wr_file_read(tape->file, tape->window, tape->cap, at, err);
    if (n < 0) {
        return (int)n;
    }
    tape->at = at;
    tape->len = (size_t)n;
    return 0;
}

/* `len` bytes at `at`, or fewer where the file ends. Borrowed until the next call on this tape. */
static int tape_read(struct tape *tape, uint64_t at, size_t len, struct wr_bytes *out,
                     struct weir_error *err)
{
    *out = (struct wr_bytes){NULL, 0};
    if (tape->file == NULL || at >= tape->size) {
        return 0;
    }
    if (len > tape->size - at) {
        len = (size_t)(tape->size - at);
    }
    if (at < tape->at || at - tape->at > tape->len || tape->len - (at - tape->at) < len) {
        int rc = tape_move(tape, at, len, err);
        if (rc < 0) {
            return rc;
        }
        len = tape->len < len ? tape->len : len;
    }
    *out = (struct wr_bytes){tape->window + (at - tape->at), len};
    return 0;
}

/* Is there a head of this generation at `place`? 1, 0 or an error. */
static int head_at(struct scan *scan, struct wr_journal_place place, struct wr_journal_entry *out,
                   struct weir_error *err)
{
    struct wr_bytes bytes;
    struct tape *tape = &scan->tapes[place.file];
    int rc = tape_read(tape, place.at, WR_JOURNAL_HEAD_BYTES, &bytes, err);
    if (rc < 0) {
        return rc;
    }
    struct weir_error none;
    if (!wr_journal_has_magic(bytes) || wr_journal_head_decode(bytes, out, &none) < 0 ||
        out->generation != scan->generation) {
        return 0;
    }
    out->place = place;
    return 1;
}

enum wholeness {
    NOT_THERE,
    HEAD_ONLY, /* head and parts are whole, the bodies are not */
    WHOLE
};

/* How much of the entry whose head this is is there? Sets `parts` and `body` as far. */
static int check_at(struct scan *scan, struct wr_journal_entry *entry, enum wholeness *out,
                    struct weir_error *err)
{
    struct tape *tape = &scan->tapes[entry->place.file];
    size_t len = (size_t)entry->head_len + entry->body_len;
    *out = NOT_THERE;
    if (len > tape->size - entry->place.at) {
        return 0;
    }
    struct wr_bytes bytes;
    int rc = tape_read(tape, entry->place.at, len, &bytes, err);
    struct weir_error none;
    if (rc == 0 && wr_journal_parts_check(entry, bytes, &none) == 0) {
        *out = wr_journal_body_check(entry, bytes, &none) == 0 ? WHOLE : HEAD_ONLY;
    }
    return rc;
}

/* How much of the expected entry is at `place`? */
static int expected_at(struct scan *scan, struct wr_journal_place place,
                       struct wr_journal_entry *out, enum wholeness *how, struct weir_error *err)
{
    *how = NOT_THERE;
    if (place.file >= WR_JOURNAL_FILES_MAX || scan->tapes[place.file].file == NULL) {
        return 0;
    }
    int rc = head_at(scan, place, out, err);
    if (rc <= 0 || out->sequence != scan->expected || out->previous_crc != scan->previous_crc) {
        return rc < 0 ? rc : 0;
    }
    return check_at(scan, out, how, err);
}

static uint64_t next_block(uint64_t at)
{
    return (at + WR_JOURNAL_BLOCK - 1) / WR_JOURNAL_BLOCK * WR_JOURNAL_BLOCK;
}

/* The expected entry follows in the same round, or in the next round, or begins another file. */
static int find_expected(struct scan *scan, struct wr_journal_entry *out, enum wholeness *how,
                         struct weir_error *err)
{
    int rc = expected_at(scan, scan->place, out, how, err);
    struct wr_journal_place block = {scan->place.file, next_block(scan->place.at)};
    if (rc == 0 && *how == NOT_THERE && block.at != scan->place.at) {
        rc = expected_at(scan, block, out, how, err);
    }
    for (uint32_t i = 0; i < WR_JOURNAL_FILES_MAX && rc == 0 && *how == NOT_THERE; i++) {
        struct wr_journal_place first = {i, WR_JOURNAL_BLOCK};
        if (i != scan->place.file || scan->place.at != first.at) {
            rc = expected_at(scan, first, out, how, err);
        }
    }
    return rc;
}

/* Look at every block of one file for later whole entries; `best` keeps the earliest that proves the
 * expected one to have been durable. */
static int look_in(struct scan *scan, uint32_t file, struct wr_journal_entry *best, bool *is_found,
                   struct weir_error *err)
{
    for (uint64_t at = WR_JOURNAL_BLOCK; at < scan->tapes[file].size; at += WR_JOURNAL_BLOCK) {
        struct wr_journal_entry entry;
        int rc = head_at(scan, (struct wr_journal_place){file, at}, &entry, err);
        if (rc < 0) {
            return rc;
        }
        bool is_earlier = !*is_found || (rc > 0 && entry.sequence < best->sequence);
        if (rc == 0 || entry.sequence <= scan->expected || entry.synced < scan->expected ||
            !is_earlier) {
            continue;
        }
        enum wholeness how;
        rc = check_at(scan, &entry, &how, err);
        if (rc < 0) {
            return rc;
        }
        if (how == WHOLE) {
            *best = entry;
            *is_found = true;
        }
    }
    return 0;
}

static int look_on(struct scan *scan, struct wr_journal_entry *best, bool *is_found,
                   struct weir_error *err)
{
    *is_found = false;
    int rc = 0;
    for (uint32_t i = 0; i < WR_JOURNAL_FILES_MAX && rc == 0; i++) {
        if (scan->tapes[i].file != NULL) {
            rc = look_in(scan, i, best, is_found, err);
        }
    }
    return rc;
}

/* Count the entry whose head this is, if it is one of this run behind the end. `next` out: where to look
 * on. */
static void note_torn(struct scan *scan, const struct wr_journal_entry *entry, uint64_t *next)
{
    uint64_t left = scan->tapes[entry->place.file].size - entry->place.at;
    uint64_t len = (uint64_t)entry->head_len + entry->body_len;
    *next = next_block(entry->place.at + 1);
    if (entry->sequence < scan->expected || len > left) {
        return;
    }
    if (scan->end.torn_entries == 0) {
        scan->end.torn_at = entry->place;
    }
    scan->end.torn_entries++;
    scan->end.torn_bytes += len;
    *next = next_block(entry->place.at + len);
}

static int count_torn_in(struct scan *scan, uint32_t file, struct weir_error *err)
{
    uint64_t at = WR_JOURNAL_BLOCK;
    while (at < scan->tapes[file].size) {
        struct wr_journal_entry entry = {0};
        int rc = head_at(scan, (struct wr_journal_place){file, at}, &entry, err);
        if (rc < 0) {
            return rc;
        }
        uint64_t next = at + WR_JOURNAL_BLOCK;
        if (rc > 0) {
            note_torn(scan, &entry, &next);
        }
        at = next;
    }
    return 0;
}

/* Would the head be whole if its generation were the expected one? */
static bool is_of_generation(struct wr_bytes head, const struct wr_journal_entry *e,
                             uint64_t generation)
{
    enum {
        CRC_FROM = 8,
        GENERATION_AT = 24,
        GENERATION_END = 32
    };
    uint8_t bytes[GENERATION_END - GENERATION_AT];
    struct wr_writer w = wr_writer_over(bytes, sizeof(bytes));
    wr_put_u64(&w, generation);
    if (head.len != e->head_len || head.len < WR_JOURNAL_HEAD_BYTES) {
        return false;
    }
    uint32_t crc = wr_crc32c((struct wr_bytes){head.ptr + CRC_FROM, GENERATION_AT - CRC_FROM});
    crc = wr_crc32c_extend(crc, wr_writer_bytes(&w));
    crc = wr_crc32c_extend(crc,
                           (struct wr_bytes){head.ptr + GENERATION_END, head.len - GENERATION_END});
    return crc == e->head_crc;
}

/* Is what stands at `place` what is left of the head of the expected entry? What an earlier use of the file
 * left may have its predecessor and sequence, but then it has another generation; or its generation, but
 * then another sequence and predecessor. */
static int is_remnant(struct scan *scan, struct wr_journal_place place, bool *out,
                      struct weir_error *err)
{
    struct wr_bytes bytes = {NULL, 0};
    *out = false;
    if (place.file >= WR_JOURNAL_FILES_MAX || scan->tapes[place.file].file == NULL) {
        return 0;
    }
    struct tape *tape = &scan->tapes[place.file];
    int rc = tape_read(tape, place.at, WR_JOURNAL_HEAD_BYTES, &bytes, err);
    if (rc < 0 || bytes.len < WR_JOURNAL_HEAD_BYTES) {
        return rc;
    }
    struct wr_journal_entry e = {0};
    (void)wr_journal_head_peek(bytes, &e);
    bool is_next = e.sequence == scan->expected;
    bool follows = e.previous_crc == scan->previous_crc;
    if (e.generation == scan->generation) {
        *out = is_next || follows;
    } else if (is_next && follows && e.head_len <= WINDOW_BYTES) {
        rc = tape_read(tape, place.at, e.head_len, &bytes, err);
        *out = rc == 0 && is_of_generation(bytes, &e, scan->generation);
    }
    return rc;
}

static void note_remnant(struct scan *scan, struct wr_journal_place place)
{
    scan->end.torn_entries = 1;
    scan->end.torn_bytes = next_block(place.at + 1) - place.at;
    scan->end.torn_at = place;
}

/* Where the expected entry would stand. In the same round, or with a head that says nothing any more, it is
 * not among those that were counted. */
static int look_for_remnant(struct scan *scan, struct weir_error *err)
{
    struct wr_journal_place places[2 + WR_JOURNAL_FILES_MAX] = {
        scan->place, {scan->place.file, next_block(scan->place.at)}};
    for (uint32_t i = 0; i < WR_JOURNAL_FILES_MAX; i++) {
        places[2 + i] = (struct wr_journal_place){i, WR_JOURNAL_BLOCK};
    }
    bool is_found = false;
    int rc = 0;
    size_t at = 0;
    for (; at < sizeof(places) / sizeof(places[0]) && rc == 0 && !is_found; at++) {
        rc = is_remnant(scan, places[at], &is_found, err);
    }
    if (rc == 0 && is_found) {
        note_remnant(scan, places[at - 1]);
    }
    return rc;
}

/* Behind the end: count what looks like entries of this run that never were durable, as the torn tail.
 * Only heads are asked: one whose body is not whole is the usual case. */
static int count_torn(struct scan *scan, struct weir_error *err)
{
    int rc = 0;
    for (uint32_t i = 0; i < WR_JOURNAL_FILES_MAX && rc == 0; i++) {
        rc = count_torn_in(scan, i, err);
    }
    return rc == 0 && scan->end.torn_entries == 0 ? look_for_remnant(scan, err) : rc;
}

/* The one behind `entry` is the next to be expected. */
static void pass(struct scan *scan, const struct wr_journal_entry *entry)
{
    uint64_t len = (uint64_t)entry->head_len + entry->body_len;
    scan->expected = entry->sequence + 1;
    scan->previous_crc = entry->head_crc;
    scan->place = (struct wr_journal_place){entry->place.file, (entry->place.at + len + 7) & ~7ULL};
}

static int give(struct scan *scan, const struct wr_journal_entry *entry,
                const struct wr_journal_visitor *visitor, struct weir_error *err)
{
    int rc = visitor->entry(visitor->arg, entry, err);
    pass(scan, entry);
    scan->end.entries++;
    scan->end.bytes += (uint64_t)entry->head_len + entry->body_len;
    return rc;
}

/* The expected entry is not whole, and `later` proves that it was. Tell it, and go on behind it when its
 * own head says where that is, else at `later`. */
static int step_over(struct scan *scan, const struct wr_journal_entry *head,
                     const struct wr_journal_entry *later, const struct wr_journal_visitor *visitor,
                     struct weir_error *err)
{
    struct wr_journal_damage damage = {
        .first_sequence = scan->expected,
        .last_sequence = head != NULL ? scan->expected : later->sequence - 1,
        .from = head != NULL ? head->place : scan->place,
        .head = head,
    };
    scan->end.damages++;
    int rc = visitor->damage == NULL ? 0 : visitor->damage(visitor->arg, &damage, err);
    if (head != NULL) {
        pass(scan, head);
        return rc;
    }
    scan->expected = later->sequence;
    scan->previous_crc = later->previous_crc;
    scan->place = later->place;
    return rc;
}

/* The next entry is not whole. 1 when it was damage and the scan goes on behind it. */
static int step_on(struct scan *scan, bool has_head, const struct wr_journal_visitor *visitor,
                   struct weir_error *err)
{
    struct wr_journal_entry later = {0};
    struct wr_journal_entry head = {0};
    bool is_proven = false;
    int rc = look_on(scan, &later, &is_proven, err);
    if (rc < 0 || !is_proven) {
        return rc < 0 ? rc : count_torn(scan, err);
    }
    enum wholeness how;
    rc = has_head ? find_expected(scan, &head, &how, err) : 0; /* again: the window has moved */
    rc = rc < 0 ? rc : step_over(scan, has_head ? &head : NULL, &later, visitor, err);
    return rc == 0 ? 1 : rc;
}

static int scan_all(struct scan *scan, const struct wr_journal_visitor *visitor,
                    struct weir_error *err)
{
    int rc = 1;
    while (rc > 0 && scan->expected != visitor->until) {
        struct wr_journal_entry entry;
        enum wholeness how;
        rc = find_expected(scan, &entry, &how, err);
        if (rc == 0 && how == WHOLE) {
            rc = give(scan, &entry, visitor, err);
            rc = rc == 0 ? 1 : rc;
        } else if (rc == 0) {
            rc = step_on(scan, how == HEAD_ONLY, visitor, err);
        }
    }
    return rc < 0 ? rc : 0;
}

int wr_journal_scan(struct wr_vfs *vfs, const char *dir, const struct wr_journal_start *start,
                    const struct wr_journal_visitor *visitor, struct wr_journal_end *out,
                    struct weir_error *err)
{
    struct scan scan = {
        .generation = start->generation,
        .expected = start->sequence,
        .previous_crc = start->crc,
        .place = start->place,
    };
    int rc = tapes_open(&scan, vfs, dir, err);
    rc = rc == 0 ? scan_all(&scan, visitor, err) : rc;
    scan.end.next =
        (struct wr_journal_start){scan.generation, scan.expected, scan.previous_crc, scan.place};
    tapes_close(&scan);
    if (rc == 0) {
        *out = scan.end;
    }
    return rc;
}

/* ---- without a checkpoint ---- */

/* Is a whole entry of a later generation at `place`? Then that is the one. */
static int later_generation_at(struct scan *scan, struct wr_journal_place place,
                               struct weir_error *err)
{
    struct wr_bytes bytes = {NULL, 0};
    struct wr_journal_entry e = {0};
    struct weir_error none;
    enum wholeness how = NOT_THERE;
    int rc = tape_read(&scan->tapes[place.file], place.at, WR_JOURNAL_HEAD_BYTES, &bytes, err);
    if (rc < 0 || wr_journal_head_decode(bytes, &e, &none) < 0 ||
        e.generation <= scan->generation) {
        return rc;
    }
    e.place = place;
    rc = check_at(scan, &e, &how, err);
    scan->generation = how == WHOLE ? e.generation : scan->generation;
    return rc;
}

static int highest_generation(struct scan *scan, struct weir_error *err)
{
    int rc = 0;
    for (uint32_t i = 0; i < WR_JOURNAL_FILES_MAX; i++) {
        for (uint64_t at = WR_JOURNAL_BLOCK; at < scan->tapes[i].size && rc == 0;
             at += WR_JOURNAL_BLOCK) {
            rc = later_generation_at(scan, (struct wr_journal_place){i, at}, err);
        }
    }
    return rc;
}

/* Is a whole entry at `place` that is expected, or later, and before the best one? Then it is the best. */
static int lower_at(struct scan *scan, struct wr_journal_place place, struct wr_journal_entry *best,
                    bool *is_found, struct weir_error *err)
{
    struct wr_journal_entry e = {0};
    enum wholeness how = NOT_THERE;
    int rc = head_at(scan, place, &e, err);
    if (rc <= 0 || e.sequence < scan->expected || (*is_found && e.sequence >= best->sequence)) {
        return rc < 0 ? rc : 0;
    }
    rc = check_at(scan, &e, &how, err);
    if (how == WHOLE) {
        *best = e;
        *is_found = true;
    }
    return rc;
}

/* The first whole entry from the expected one on that starts a round. */
static int lowest_from(struct scan *scan, struct wr_journal_entry *best, bool *is_found,
                       struct weir_error *err)
{
    int rc = 0;
    *is_found = false;
    for (uint32_t i = 0; i < WR_JOURNAL_FILES_MAX; i++) {
        for (uint64_t at = WR_JOURNAL_BLOCK; at < scan->tapes[i].size && rc == 0;
             at += WR_JOURNAL_BLOCK) {
            rc = lower_at(scan, (struct wr_journal_place){i, at}, best, is_found, err);
        }
    }
    return rc;
}

/* Follow the chain from `first` to where it breaks. */
static int follow(struct scan *scan, const struct wr_journal_entry *first, struct weir_error *err)
{
    scan->expected = first->sequence;
    scan->previous_crc = first->previous_crc;
    scan->place = first->place;
    struct wr_journal_entry entry;
    enum wholeness how;
    int rc = find_expected(scan, &entry, &how, err);
    while (rc == 0 && how == WHOLE) {
        pass(scan, &entry);
        rc = find_expected(scan, &entry, &how, err);
    }
    return rc;
}

int wr_journal_guess(struct wr_vfs *vfs, const char *dir, struct wr_journal_start *out,
                     bool *is_found, struct weir_error *err)
{
    struct scan scan = {0};
    *is_found = false;
    int rc = tapes_open(&scan, vfs, dir, err);
    rc = rc == 0 ? highest_generation(&scan, err) : rc;
    bool is_more = rc == 0 && scan.generation > 0;
    while (rc == 0 && is_more) {
        struct wr_journal_entry e = {0};
        rc = lowest_from(&scan, &e, &is_more, err);
        if (rc == 0 && is_more) {
            *out = (struct wr_journal_start){e.generation, e.sequence, e.previous_crc, e.place};
            *is_found = true;
            rc = follow(&scan, &e, err);
        }
    }
    tapes_close(&scan);
    return rc;
}
