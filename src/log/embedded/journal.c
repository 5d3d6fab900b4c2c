/* journal.c - the journal's files: made, written, synced, recycled. Formats and rules are in journal.h. */
#include "log/embedded/journal.h"

#include "data/crc.h"

#include <stdio.h>

enum {
    PATH_BYTES = 4096,
    FILL_BYTES = 256 * 1024,
    DIRECT_BYTES = 4 * 1024 * 1024, /* written at once */
    FILE_VERSION = 1,
    ALIGN = 8,
    PIECES_MAX = 1 << 20,
    HEADS_MAX = 1 << 30
};

static const uint8_t ZEROS[WR_JOURNAL_BLOCK];

static void path_of(const struct wr_journal *j, uint32_t number, const char *suffix, char *out)
{
    int n = snprintf(out, PATH_BYTES, "%s/%u%s", j->dir, number, suffix);
    WR_ASSERT(n > 0 && n < PATH_BYTES);
}

/* ---- making files ---- */

/* magic "WEIRJRNL", version u32, size u64, CRC-32C of the 20 bytes before it; then zeros. */
static void put_header(struct wr_writer *w, uint32_t file_bytes)
{
    wr_put_lit(w, "WEIRJRNL");
    wr_put_u32(w, FILE_VERSION);
    wr_put_u64(w, file_bytes);
    wr_put_u32(w, wr_crc32c(wr_writer_bytes(w)));
}

static int fill(struct wr_file *file, uint32_t file_bytes, struct weir_error *err)
{
    uint8_t *zeros = wr_alloc_array(FILL_BYTES, 1);
    if (zeros == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "%d bytes to fill a journal file", FILL_BYTES);
    }
    int rc = 0;
    for (uint64_t at = 0; at < file_bytes && rc == 0; at += FILL_BYTES) {
        uint64_t left = file_bytes - at;
        rc = wr_file_write(file, zeros, left < FILL_BYTES ? (size_t)left : FILL_BYTES, at, err);
    }
    wr_free(zeros);
    uint8_t header[WR_JOURNAL_BLOCK];
    struct wr_writer w = wr_writer_over(header, sizeof(header));
    put_header(&w, file_bytes);
    rc = rc == 0 ? wr_file_write(file, header, w.len, 0, err) : rc;
    return rc == 0 ? wr_file_sync(file, err) : rc;
}

/* Under another name until it is whole, so that a file that counts is never half made. */
static int make_file(struct wr_journal *j, uint32_t number, struct weir_error *err)
{
    char path[PATH_BYTES];
    char draft[PATH_BYTES];
    path_of(j, number, "", path);
    path_of(j, number, ".tmp", draft);
    struct wr_file *file = NULL;
    int rc =
        wr_file_open(j->vfs, draft, WR_OPEN_WRITE | WR_OPEN_CREATE | WR_OPEN_TRUNCATE, &file, err);
    if (rc < 0) {
        return rc;
    }
    rc = fill(file, j->file_bytes, err);
    rc = rc == 0 ? wr_vfs_rename(j->vfs, draft, path, err) : rc;
    rc = rc == 0 ? wr_vfs_sync_dir(j->vfs, j->dir, err) : rc;
    if (rc < 0) {
        struct weir_error none;
        wr_file_close(file);
        int gone = wr_vfs_unlink(j->vfs, draft, &none); /* it may be what fills the disk */
        WR_UNUSED(gone);
        return wr_wrap(err, "make journal file %u", number);
    }
    if (j->blocks != NULL) {
        wr_file_advise(file, WR_ADVICE_DIRECT, 0, 0);
    }
    j->files[number].file = file;
    return 0;
}

/* One at a time: two that chose the same number would each fill it, the later one over the entries that
 * the earlier one holds by then. */
static int make_one(struct wr_journal *j, struct weir_error *err)
{
    uint32_t number = UINT32_MAX;
    pthread_mutex_lock(&j->lock);
    for (uint32_t i = j->file_count_max; i-- > 0;) {
        if (j->files[i].state == WR_JOURNAL_ABSENT) {
            number = i;
        } else if (j->files[i].state == WR_JOURNAL_FREE) {
            number = UINT32_MAX;
            break;
        }
    }
    pthread_mutex_unlock(&j->lock);
    if (number == UINT32_MAX) {
        return 0;
    }
    int rc = make_file(j, number, err);
    if (rc < 0) {
        return rc;
    }
    pthread_mutex_lock(&j->lock);
    j->files[number].state = WR_JOURNAL_FREE;
    pthread_mutex_unlock(&j->lock);
    return 1;
}

int wr_journal_make(struct wr_journal *j, struct weir_error *err)
{
    pthread_mutex_lock(&j->make_lock);
    int rc = make_one(j, err);
    pthread_mutex_unlock(&j->make_lock);
    return rc;
}

/* ---- opening ---- */

/* Is the file one of ours, of this version and size? */
static int check_file(struct wr_file *file, uint32_t file_bytes, bool *is_usable,
                      struct weir_error *err)
{
    uint8_t have[24] = {0};
    uint8_t want[24];
    struct wr_writer w = wr_writer_over(want, sizeof(want));
    put_header(&w, file_bytes);
    int64_t size = wr_file_size(file, err);
    if (size < 0) {
        return (int)size;
    }
    int64_t n = wr_file_read(file, have, sizeof(have), 0, err);
    if (n < 0) {
        return (int)n;
    }
    *is_usable = size == file_bytes && memcmp(have, want, sizeof(have)) == 0;
    return 0;
}

/* Take over a file that is there, if it is of use. */
static int adopt(struct wr_journal *j, uint32_t number, struct weir_error *err)
{
    char path[PATH_BYTES];
    path_of(j, number, "", path);
    struct wr_file *file = NULL;
    int rc = wr_file_open(j->vfs, path, WR_OPEN_WRITE, &file, err);
    if (rc == WEIR_E_NOTFOUND) {
        return 0;
    }
    bool is_usable = false;
    rc = rc == 0 ? check_file(file, j->file_bytes, &is_usable, err) : rc;
    if (rc < 0 || !is_usable || number >= j->file_count_max) {
        wr_file_close(file);
        j->is_useless[number] = true;
        return rc < 0 ? rc : 0;
    }
    j->files[number].file = file;
    j->files[number].state = WR_JOURNAL_FREE;
    return 0;
}

static int adopt_all(struct wr_journal *j, struct weir_error *err)
{
    int rc = wr_vfs_mkdir(j->vfs, j->dir, err);
    rc = rc == WEIR_E_EXISTS ? 0 : rc;
    for (uint32_t i = 0; i < WR_JOURNAL_FILES_MAX && rc == 0; i++) {
        rc = adopt(j, i, err);
    }
    return rc;
}

int wr_journal_open(struct wr_journal *out, struct wr_vfs *vfs, const char *dir,
                    uint32_t file_bytes, uint32_t file_count_max,
                    const struct wr_journal_start *start, struct weir_error *err)
{
    WR_ASSERT(file_bytes % WR_JOURNAL_BLOCK == 0);
    WR_ASSERT(file_count_max <= WR_JOURNAL_FILES_MAX);
    *out = (struct wr_journal){
        .vfs = vfs,
        .dir = wr_strdup(wr_str_of(dir)),
        .file_bytes = file_bytes,
        .file_count_max = file_count_max,
        .generation = start->generation,
        .next = {UINT32_MAX, 0},
        .written_sequence = start->sequence - 1,
        .synced_sequence = start->sequence - 1,
        .round_sequence = start->sequence - 1,
        .last_crc = start->crc,
        .round_crc = start->crc,
        .heads = wr_writer_growing(HEADS_MAX),
    };
    pthread_mutex_init(&out->lock, NULL);
    pthread_mutex_init(&out->make_lock, NULL);
    int rc = out->dir == NULL ? wr_fail(err, WEIR_E_NOMEM, "journal '%s'", dir) : 0;
    rc = rc == 0 ? adopt_all(out, err) : rc;
    if (rc < 0) {
        wr_journal_close(out);
        return rc;
    }
    return 0;
}

int wr_journal_settle(struct wr_journal *j, struct weir_error *err)
{
    bool has_any = false;
    int rc = 0;
    for (uint32_t i = 0; i < WR_JOURNAL_FILES_MAX && rc == 0; i++) {
        char path[PATH_BYTES];
        path_of(j, i, "", path);
        rc = j->is_useless[i] ? wr_vfs_unlink(j->vfs, path, err) : 0;
        j->is_useless[i] = j->is_useless[i] && rc < 0;
        has_any = has_any || j->files[i].file != NULL;
    }
    rc = rc == 0 && !has_any ? wr_journal_make(j, err) : rc;
    return rc < 0 ? rc : 0;
}

int wr_journal_direct(struct wr_journal *j, struct weir_error *err)
{
    WR_ASSERT(j->blocks == NULL);
    j->block_memory = wr_alloc_array(DIRECT_BYTES + WR_JOURNAL_BLOCK, 1);
    if (j->block_memory == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "%d bytes for the journal", DIRECT_BYTES);
    }
    uintptr_t over = (uintptr_t)j->block_memory % WR_JOURNAL_BLOCK;
    j->blocks = j->block_memory + (WR_JOURNAL_BLOCK - over);
    for (uint32_t i = 0; i < WR_JOURNAL_FILES_MAX; i++) {
        if (j->files[i].file != NULL) {
            wr_file_advise(j->files[i].file, WR_ADVICE_DIRECT, 0, 0);
        }
    }
    return 0;
}

void wr_journal_close(struct wr_journal *j)
{
    if (j->vfs == NULL) {
        return;
    }
    for (uint32_t i = 0; i < WR_JOURNAL_FILES_MAX; i++) {
        wr_file_close(j->files[i].file);
    }
    wr_writer_fini(&j->heads);
    wr_free(j->pieces);
    wr_free(j->block_memory);
    wr_free(j->dir);
    pthread_mutex_destroy(&j->lock);
    pthread_mutex_destroy(&j->make_lock);
    *j = (struct wr_journal){0};
}

/* ---- a round ---- */

size_t wr_journal_entry_bytes(const struct wr_journal_part *parts, size_t count)
{
    size_t bytes = WR_JOURNAL_HEAD_BYTES + count * WR_JOURNAL_PART_BYTES;
    for (size_t i = 0; i < count; i++) {
        bytes += parts[i].body.len;
    }
    return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

size_t wr_journal_round_max(const struct wr_journal *j)
{
    return j->file_bytes - (size_t)WR_JOURNAL_BLOCK;
}

static void add_piece(struct wr_journal *j, const void *ptr, size_t len)
{
    if (len > 0) {
        WR_ASSERT(j->piece_count < j->piece_cap);
        j->pieces[j->piece_count] = (struct iovec){(void *)(uintptr_t)ptr, len};
        j->piece_count++;
        j->round_bytes += len;
    }
}

int wr_journal_ready(struct wr_journal *j, size_t count, struct weir_error *err)
{
    size_t pieces = j->piece_count + count + 3; /* head, bodies, padding, the round's padding */
    size_t head = WR_JOURNAL_HEAD_BYTES + count * WR_JOURNAL_PART_BYTES;
    if (!wr_grow(&j->pieces, &j->piece_cap, pieces, sizeof(j->pieces[0]), PIECES_MAX) ||
        wr_writer_room(&j->heads, head) == NULL) {
        j->heads.spoiled = 0;
        return wr_fail(err, WEIR_E_NOMEM, "journal entry of %zu parts", count);
    }
    return 0;
}

uint64_t wr_journal_add(struct wr_journal *j, const struct wr_journal_part *parts, size_t count,
                        int64_t now_ms)
{
    pthread_mutex_lock(&j->lock);
    uint64_t synced = j->synced_sequence;
    pthread_mutex_unlock(&j->lock);
    struct wr_journal_entry entry = {
        .previous_crc = j->round_crc,
        .generation = j->generation,
        .sequence = j->round_sequence + 1,
        .synced = synced,
        .written_ms = now_ms,
    };
    wr_journal_entry_put(&j->heads, &entry, parts, count);
    WR_ASSERT(j->heads.spoiled == 0);
    size_t start = j->round_bytes;
    add_piece(j, NULL, entry.head_len);
    for (size_t i = 0; i < count; i++) {
        add_piece(j, parts[i].body.ptr, parts[i].body.len);
    }
    add_piece(j, ZEROS, (ALIGN - (j->round_bytes - start) % ALIGN) % ALIGN);
    j->round_sequence = entry.sequence;
    j->round_crc = entry.head_crc;
    return entry.sequence;
}

static size_t whole_blocks(size_t len)
{
    return (len + WR_JOURNAL_BLOCK - 1) / WR_JOURNAL_BLOCK * WR_JOURNAL_BLOCK;
}

int wr_journal_reserve(struct wr_journal *j, size_t len, struct weir_error *err)
{
    WR_ASSERT(len <= wr_journal_round_max(j));
    int rc = 0;
    pthread_mutex_lock(&j->lock);
    bool is_open = j->next.file != UINT32_MAX;
    if (!is_open || whole_blocks(len) > j->file_bytes - j->next.at) {
        uint32_t i = 0;
        while (i < j->file_count_max && j->files[i].state != WR_JOURNAL_FREE) {
            i++;
        }
        if (i < j->file_count_max) {
            j->files[i].state = WR_JOURNAL_LIVE;
            j->next = (struct wr_journal_place){i, WR_JOURNAL_BLOCK};
        } else {
            rc = wr_fail(err, WEIR_E_AGAIN, "no journal file is free");
        }
    }
    pthread_mutex_unlock(&j->lock);
    return rc;
}

static void round_written(struct wr_journal *j, struct wr_journal_place place, size_t len)
{
    struct wr_journal_file *file = &j->files[place.file];
    file->last_sequence = j->round_sequence;
    j->next = (struct wr_journal_place){place.file, place.at + len};
    j->written_sequence = j->round_sequence;
    j->last_crc = j->round_crc;
    j->bytes += len;
}

/* The heads do not move any more: say where they are. */
static void place_heads(struct wr_journal *j)
{
    size_t head_at = 0;
    for (size_t i = 0; i < j->piece_count; i++) {
        if (j->pieces[i].iov_base == NULL) {
            j->pieces[i].iov_base = j->heads.base + head_at;
            head_at += j->pieces[i].iov_len;
        }
    }
}

/* Put bytes behind what `blocks` holds, and write it when it is full. */
static int add_to_blocks(struct wr_journal *j, struct wr_journal_place *place, size_t *filled,
                         struct wr_bytes rest, struct weir_error *err)
{
    int rc = 0;
    while (rest.len > 0 && rc == 0) {
        size_t n = rest.len < DIRECT_BYTES - *filled ? rest.len : DIRECT_BYTES - *filled;
        memcpy(j->blocks + *filled, rest.ptr, n);
        rest = (struct wr_bytes){rest.ptr + n, rest.len - n};
        *filled += n;
        if (*filled == DIRECT_BYTES) {
            rc = wr_file_write(j->files[place->file].file, j->blocks, *filled, place->at, err);
            place->at += *filled;
            *filled = 0;
        }
    }
    return rc;
}

/* The pieces, which make whole blocks, put together in aligned memory. */
static int write_blocks(struct wr_journal *j, struct wr_journal_place place, struct weir_error *err)
{
    size_t filled = 0;
    int rc = 0;
    for (size_t i = 0; i < j->piece_count && rc == 0; i++) {
        struct wr_bytes piece = {j->pieces[i].iov_base, j->pieces[i].iov_len};
        rc = add_to_blocks(j, &place, &filled, piece, err);
    }
    struct wr_file *file = j->files[place.file].file;
    return rc == 0 && filled > 0 ? wr_file_write(file, j->blocks, filled, place.at, err) : rc;
}

static int write_pieces(struct wr_journal *j, struct wr_journal_place place, struct weir_error *err)
{
    if (j->blocks != NULL) {
        return write_blocks(j, place, err);
    }
    return wr_file_writev(j->files[place.file].file, j->pieces, (int)j->piece_count, place.at, err);
}

int wr_journal_write(struct wr_journal *j, struct weir_error *err)
{
    if (j->round_bytes == 0) {
        return 0;
    }
    size_t len = whole_blocks(j->round_bytes);
    add_piece(j, ZEROS, len - j->round_bytes);
    place_heads(j);
    struct wr_journal_place place = j->next; /* changed by this thread alone */
    WR_ASSERT(place.file != UINT32_MAX && len <= j->file_bytes - place.at);
    int rc = write_pieces(j, place, err);
    if (rc == 0) {
        pthread_mutex_lock(&j->lock);
        round_written(j, place, len);
        pthread_mutex_unlock(&j->lock);
    }
    wr_writer_reset(&j->heads);
    j->piece_count = 0;
    j->round_bytes = 0;
    return rc;
}

/* ---- syncing and recycling ---- */

int wr_journal_sync(struct wr_journal *j, struct weir_error *err)
{
    pthread_mutex_lock(&j->lock);
    uint64_t target = j->written_sequence;
    uint64_t reach[WR_JOURNAL_FILES_MAX] = {0};
    for (uint32_t i = 0; i < j->file_count_max; i++) {
        struct wr_journal_file *f = &j->files[i];
        bool is_due = f->state == WR_JOURNAL_LIVE && f->synced_sequence < f->last_sequence;
        reach[i] = is_due ? f->last_sequence : 0;
    }
    pthread_mutex_unlock(&j->lock);
    for (uint32_t i = 0; i < j->file_count_max; i++) {
        int rc = reach[i] == 0 ? 0 : wr_file_sync(j->files[i].file, err);
        if (rc < 0) {
            return rc;
        }
    }
    pthread_mutex_lock(&j->lock);
    for (uint32_t i = 0; i < j->file_count_max; i++) {
        struct wr_journal_file *f = &j->files[i];
        j->syncs += reach[i] == 0 ? 0 : 1;
        f->synced_sequence = reach[i] > f->synced_sequence ? reach[i] : f->synced_sequence;
    }
    j->synced_sequence = target > j->synced_sequence ? target : j->synced_sequence;
    pthread_mutex_unlock(&j->lock);
    return 0;
}

void wr_journal_mark(struct wr_journal *j, struct wr_journal_mark *out)
{
    pthread_mutex_lock(&j->lock);
    out->start =
        (struct wr_journal_start){j->generation, j->written_sequence + 1, j->last_crc, j->next};
    out->bytes = j->bytes;
    pthread_mutex_unlock(&j->lock);
}

void wr_journal_release(struct wr_journal *j, const struct wr_journal_mark *mark)
{
    pthread_mutex_lock(&j->lock);
    j->released_bytes = mark->bytes;
    for (uint32_t i = 0; i < j->file_count_max; i++) {
        struct wr_journal_file *f = &j->files[i];
        if (f->state == WR_JOURNAL_LIVE && f->last_sequence < mark->start.sequence &&
            i != j->next.file) {
            f->state = WR_JOURNAL_FREE;
        }
    }
    pthread_mutex_unlock(&j->lock);
}

uint32_t wr_journal_free(struct wr_journal *j)
{
    pthread_mutex_lock(&j->lock);
    uint32_t count = 0;
    for (uint32_t i = 0; i < j->file_count_max; i++) {
        count += j->files[i].state == WR_JOURNAL_LIVE ? 0 : 1;
    }
    pthread_mutex_unlock(&j->lock);
    return count;
}

uint64_t wr_journal_live(struct wr_journal *j)
{
    pthread_mutex_lock(&j->lock);
    uint64_t live = j->bytes - j->released_bytes;
    pthread_mutex_unlock(&j->lock);
    return live;
}

bool wr_journal_needs_file(struct wr_journal *j)
{
    bool has_free = false;
    bool has_absent = false;
    pthread_mutex_lock(&j->lock);
    for (uint32_t i = 0; i < j->file_count_max; i++) {
        has_free = has_free || j->files[i].state == WR_JOURNAL_FREE;
        has_absent = has_absent || j->files[i].state == WR_JOURNAL_ABSENT;
    }
    bool is_half_full = j->next.file != UINT32_MAX && j->next.at > j->file_bytes / 2;
    pthread_mutex_unlock(&j->lock);
    return is_half_full && has_absent && !has_free;
}
