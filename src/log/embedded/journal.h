/*
 * journal.h - the one file (in pieces) that makes durable: what every commit writes and syncs first.
 *
 *     file   = header (one block) · rounds
 *     round  = entries, each padded to 8 bytes, the whole padded to a block      one gathered write
 *     entry  = head (64 bytes) · parts (61 bytes each) · bodies of the parts      one commit
 *
 * A block is 4096 bytes. A round starts on a block and fills whole blocks, so no sector that holds
 * acknowledged bytes is ever written again. The files are filled with written zeros when they are made
 * and then recycled in any order: a sync after a write that stays inside a written file has no metadata
 * to carry along. A round that does not fit behind the last one starts the next free file.
 *
 * Which bytes count (nothing else in these files does, whatever it looks like):
 * An entry belongs to the log when its head and body have their CRCs, it bears the generation of the
 * checkpoint, its sequence is the next one expected, and it carries the CRC of the entry before it.
 * - A generation is one run of the engine. Its number is made durable, in the checkpoint, before the
 *   run writes its first entry, and a run starts with an empty journal. So what an earlier run left
 *   behind, also behind a torn tail that was cut, bears another generation.
 * - Within a run a sequence is given once and written once: a write that fails ends the run. So
 *   (generation, sequence) names at most one entry ever written, and what an earlier use of the file
 *   in the same run left behind bears a sequence that is lower than expected.
 * - The CRC chain says the same a second time, should a generation ever be given twice because the
 *   checkpoint was lost and guessed anew.
 *
 * Torn or damaged: every entry says up to which sequence the journal was known to be synced when it was
 * written. Behind an entry that is not whole the scan looks on at each block. A later whole entry that
 * knew the bad one to be durable proves damage; else the bad one and all behind it is a torn tail. So the
 * last round of a run that was not stopped cleanly is proved by nothing but itself: damage in it is cut as
 * a torn tail, and told as long as anything of the entry's head is left. A last entry whose head is gone
 * altogether cannot be told from one that was never written.
 */
#ifndef WR_JOURNAL_H
#define WR_JOURNAL_H

#include "base/reader.h"
#include "base/vfs.h"
#include "base/writer.h"
#include "log/log.h"

#include <pthread.h>

enum {
    WR_JOURNAL_BLOCK = 4096,
    WR_JOURNAL_HEAD_BYTES = 64,
    WR_JOURNAL_PART_BYTES = 61,
    WR_JOURNAL_FILES_MAX = 64
};

enum wr_journal_kind {
    WR_PART_BATCHES = 1, /* batches, in the body, for a segment */
    WR_PART_PLACED = 2,  /* batches that stand in their segment already */
    WR_PART_TOPIC = 3,   /* a topic was made; the body is its description (catalog.h) */
    WR_PART_DELETE = 4,  /* a topic was deleted */
    WR_PART_START = 5,   /* the log start moved to base_offset */
    WR_PART_ROLL = 6     /* a new, empty segment begins at base_offset */
};

/* One part of a commit. What a kind does not need is 0. */
struct wr_journal_part {
    enum wr_journal_kind kind;
    struct wr_topic_id topic;
    uint32_t partition;
    int64_t base_offset;  /* of the first batch */
    int64_t next_offset;  /* behind the last batch */
    int64_t segment_base; /* the segment that the batches are in … */
    uint32_t position;    /* … and their place in it, in bytes */
    int32_t leader_epoch;
    uint32_t len;         /* of the batches or the description, in bytes */
    uint32_t crc;         /* PLACED: CRC-32C of the batches */
    struct wr_bytes body; /* `len` bytes, borrowed; {NULL, 0} for all but BATCHES and TOPIC */
};

struct wr_journal_place {
    uint32_t file; /* UINT32_MAX: nowhere yet */
    uint64_t at;
};

/* From where on a journal counts: what a checkpoint records. */
struct wr_journal_start {
    uint64_t generation;
    uint64_t sequence;             /* of the first entry that counts */
    uint32_t crc;                  /* that it must carry as its predecessor's */
    struct wr_journal_place place; /* where it most likely is */
};

/* ---- entries --------------------------------------------------------------------------------------- */

/* An entry's head as it stands on disk, and where. */
struct wr_journal_entry {
    uint32_t head_crc; /* of all of head and parts behind this field */
    uint32_t head_len; /* head and parts */
    uint32_t body_len;
    uint32_t body_crc;
    uint32_t previous_crc; /* head_crc of the entry before it */
    uint64_t generation;
    uint64_t sequence;
    uint64_t synced; /* the highest sequence known durable when this was written */
    int64_t written_ms;
    uint32_t part_count;
    struct wr_journal_place place;
    struct wr_bytes parts; /* borrowed until the callback returns */
    struct wr_bytes body;  /* ptr NULL while not checked, or lost: then parts come without theirs */
};

/* Write the head of an entry and its parts' table behind what `w` holds. Computes both CRCs and sets
 * the lengths in `entry`; of `entry` the caller gives generation, sequence, synced, previous_crc and
 * written_ms. Bodies follow the table on disk in the order of the parts; they are not copied. */
void wr_journal_entry_put(struct wr_writer *w, struct wr_journal_entry *entry,
                          const struct wr_journal_part *parts, size_t count);

/* May an entry begin here? A quick look, for a scan that asks at each block. */
bool wr_journal_has_magic(struct wr_bytes in);

/* The fields of a head in the first 64 bytes of `in`, unchecked. True when it begins as heads do. */
bool wr_journal_head_peek(struct wr_bytes in, struct wr_journal_entry *out);

/* Read a head from the first 64 bytes of `in` and check what it can tell of itself; no CRC yet.
 * WEIR_E_CORRUPT when there is none. */
WR_MUST_USE int wr_journal_head_decode(struct wr_bytes in, struct wr_journal_entry *out,
                                       struct weir_error *err);

/* Check the CRC of head and parts, `in` starting with them, and set `parts`. WEIR_E_CORRUPT. */
WR_MUST_USE int wr_journal_parts_check(struct wr_journal_entry *entry, struct wr_bytes in,
                                       struct weir_error *err);

/* Check the CRC of the body as well, `in` being the whole entry, and set `body`. WEIR_E_CORRUPT. */
WR_MUST_USE int wr_journal_body_check(struct wr_journal_entry *entry, struct wr_bytes in,
                                      struct weir_error *err);

/* Walk the parts of a checked entry, from a zeroed walk on. `out->body` is borrowed from the entry.
 * Returns 1, 0 behind the last, or WEIR_E_CORRUPT (written by a newer version, or a CRC fits by chance). */
struct wr_journal_walk {
    size_t index;
    size_t body_at;
};
WR_MUST_USE int wr_journal_part_next(const struct wr_journal_entry *entry,
                                     struct wr_journal_walk *walk, struct wr_journal_part *out,
                                     struct weir_error *err);

/* ---- scanning -------------------------------------------------------------------------------------- */

/* Entries `first` .. `last` are lost; the bytes that should hold them start at `from`. */
struct wr_journal_damage {
    uint64_t first_sequence;
    uint64_t last_sequence;
    struct wr_journal_place from;
    const struct wr_journal_entry
        *head; /* one entry whose head and parts are whole, without bodies; or
                                            NULL: nothing is known of it, or of them */
};

struct wr_journal_end {
    struct wr_journal_start next; /* where the entry behind the last one would start */
    uint64_t entries;
    uint64_t bytes; /* of these entries */
    uint32_t
        torn_entries; /* seen behind the end: whole or not, and nothing proves that they were durable */
    uint64_t torn_bytes;
    struct wr_journal_place torn_at;
    uint32_t damages;
};

struct wr_journal_visitor {
    int (*entry)(void *arg, const struct wr_journal_entry *entry, struct weir_error *err);
    /* May be NULL. Comes between the entries before and behind it. */
    int (*damage)(void *arg, const struct wr_journal_damage *damage, struct weir_error *err);
    void *arg;
    uint64_t until; /* where a scan before has found the end: `next.sequence`; 0: look for it */
};

/* Give every entry that counts, in order. `dir` is the journal's folder.
 * Blocks on disk. A non-zero result of a callback ends the scan and is returned. Returns 0, or
 * WEIR_E_IO, WEIR_E_NOMEM; never a code for what stands in the files: that is in `out`. */
WR_MUST_USE int wr_journal_scan(struct wr_vfs *vfs, const char *dir,
                                const struct wr_journal_start *start,
                                const struct wr_journal_visitor *visitor,
                                struct wr_journal_end *out, struct weir_error *err);

/* For a log whose checkpoint is lost: the start of the last unbroken run of entries of the highest
 * generation in the folder. `is_found` is false when there is no entry. Blocks on disk. */
WR_MUST_USE int wr_journal_guess(struct wr_vfs *vfs, const char *dir, struct wr_journal_start *out,
                                 bool *is_found, struct weir_error *err);

/* ---- the files, for writing ---------------------------------------------------------------------------- */

enum wr_journal_file_state {
    WR_JOURNAL_ABSENT,
    WR_JOURNAL_FREE, /* holds nothing that counts */
    WR_JOURNAL_LIVE
};

struct wr_journal_file {
    struct wr_file *file;
    enum wr_journal_file_state state;
    uint64_t last_sequence;   /* the last entry in it */
    uint64_t synced_sequence; /* the last entry in it that was synced */
};

/* Locks: `lock` is a leaf; `make_lock` is taken before it and held while a file is made. write() is called by one thread at a time; sync(), release(), make() by any. */
struct wr_journal {
    struct wr_vfs *vfs;
    char *dir; /* owned */
    uint32_t file_bytes;
    uint32_t file_count_max;
    uint64_t generation;

    pthread_mutex_t make_lock;
    pthread_mutex_t lock;
    struct wr_journal_file files[WR_JOURNAL_FILES_MAX];
    bool is_useless
        [WR_JOURNAL_FILES_MAX];   /* a file of this number is there that is not one of `files` */
    struct wr_journal_place next; /* where the next round starts, if it fits */
    uint64_t written_sequence;
    uint64_t synced_sequence;
    uint32_t last_crc;
    uint64_t bytes; /* ever written, padding included */
    uint64_t released_bytes;
    uint64_t syncs; /* counted */

    /* The round that is being put together: of the writing thread alone. */
    struct wr_writer heads;
    struct iovec *pieces; /* base NULL: the next bytes of `heads` */
    size_t piece_count;
    size_t piece_cap;
    size_t round_bytes;
    uint8_t *block_memory;   /* owned; NULL: through the page cache */
    uint8_t *blocks;         /* in it, aligned: the round on its way past the page cache */
    uint64_t round_sequence; /* of the last entry added */
    uint32_t round_crc;
};

/* Open the folder for writing, after recovery: all files are free. Makes the folder when it is not there.
 * `start`: generation, and the sequence and CRC to go on with. `out` is zeroed on failure. Blocks on disk. */
WR_MUST_USE int wr_journal_open(struct wr_journal *out, struct wr_vfs *vfs, const char *dir,
                                uint32_t file_bytes, uint32_t file_count_max,
                                const struct wr_journal_start *start, struct weir_error *err);

/* When what the files hold is not needed any more: remove those of another size or number, and make the
 * first one when none is there. Returns 0, WEIR_E_FULL, WEIR_E_IO. Blocks on disk. */
WR_MUST_USE int wr_journal_settle(struct wr_journal *journal, struct weir_error *err);

/* Write past the page cache from now on: for a journal that is synced after each write. WEIR_E_NOMEM. */
WR_MUST_USE int wr_journal_direct(struct wr_journal *journal, struct weir_error *err);

/* Close the files and free. Takes a zeroed one. */
void wr_journal_close(struct wr_journal *journal);

/* The bytes that an entry with these parts takes in a round. */
size_t wr_journal_entry_bytes(const struct wr_journal_part *parts, size_t count);

/* The most bytes of entries that one round may have. */
size_t wr_journal_round_max(const struct wr_journal *journal);

/* Make sure that a round of `len` bytes of entries has a place: behind the last one, or at the start of a
 * free file. Returns 0, or WEIR_E_AGAIN when no file is free: release one, or make one. */
WR_MUST_USE int wr_journal_reserve(struct wr_journal *journal, size_t len, struct weir_error *err);

/* Memory for one more entry of `count` parts in the round. WEIR_E_NOMEM. */
WR_MUST_USE int wr_journal_ready(struct wr_journal *journal, size_t count, struct weir_error *err);

/* Add an entry to the round, for which there is a place and memory. The bodies are borrowed until
 * wr_journal_write() returns. Returns the entry's sequence. */
uint64_t wr_journal_add(struct wr_journal *journal, const struct wr_journal_part *parts,
                        size_t count, int64_t now_ms);

/* Write the round in one go; not synced. Nothing when it is empty.
 * WEIR_E_IO: the journal must not be written again. */
WR_MUST_USE int wr_journal_write(struct wr_journal *journal, struct weir_error *err);

/* Make durable what was written before the call. WEIR_E_IO: as above, and never retried. */
WR_MUST_USE int wr_journal_sync(struct wr_journal *journal, struct weir_error *err);

/* A place between two rounds: what a checkpoint of all before it records and releases. */
struct wr_journal_mark {
    struct wr_journal_start start;
    uint64_t bytes; /* written before it */
};

/* The place behind the last round written. */
void wr_journal_mark(struct wr_journal *journal, struct wr_journal_mark *out);

/* Entries before the mark are not needed any more: files with nothing later become free. */
void wr_journal_release(struct wr_journal *journal, const struct wr_journal_mark *mark);

/* Make one more file, filled with zeros and synced, when there is none free and fewer than the most.
 * Returns 1 when it made one, 0, or WEIR_E_FULL, WEIR_E_IO. Blocks on disk. */
WR_MUST_USE int wr_journal_make(struct wr_journal *journal, struct weir_error *err);

/* Is the current file more than half full, none free, and one more possible? Then it is time to make one. */
bool wr_journal_needs_file(struct wr_journal *journal);

/* How many files are free or could be made, and how many bytes of entries are not released. */
uint32_t wr_journal_free(struct wr_journal *journal);
uint64_t wr_journal_live(struct wr_journal *journal);

#endif
