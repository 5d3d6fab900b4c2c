/*
 * embedded.h - the log engine that lives in a folder of this machine: one journal makes durable, many
 * segments serve (design: README.md here; every byte on disk: docs/formats.md).
 *
 *     DIR/.lock                      held while a process has the folder open
 *     DIR/catalog                    topics: names, ids, partition counts, settings
 *     DIR/checkpoint.0, .1           where each partition was synced up to, where the journal goes on
 *     DIR/journal/0, 1, …            recycled files, filled with zeros when made
 *     DIR/<topic>-<partition>/       Kafka's segment files and what describes them
 *
 * With `threads` the engine runs itself. Without, nothing happens by itself: the caller drives the same
 * steps, so that one seeded process can simulate the whole (rule 8). Calls that block on disk
 * (wr_log_topic_create, wr_log_writer_open after a dead one, …) then drive the steps that they wait for.
 */
#ifndef WR_LOG_EMBEDDED_H
#define WR_LOG_EMBEDDED_H

#include "base/clock.h"
#include "base/rng.h"
#include "base/trace.h"
#include "base/vfs.h"
#include "log/log.h"

/* When the journal is synced. It is written before every answer in all three, so a killed process never
 * tears or loses a commit; they differ in what a power cut may take back. */
enum wr_durability {
    WR_DURABILITY_FSYNC,    /* before the answer: nothing that was answered */
    WR_DURABILITY_INTERVAL, /* each `interval_ms` while there is something: what was answered since */
    WR_DURABILITY_OS        /* when the system likes to */
};

/* "fsync", "interval", "os"; static. */
const char *wr_durability_name(enum wr_durability durability);

/* 0 or NULL in a field: the default that stands behind it. All is borrowed until wr_embedded_open()
 * returns, but `vfs`, `clock`, `rng` and `arg`, which must outlive the log. */
struct wr_embedded_options {
    const char *dir;              /* required; made when it is not there (its parent must be) */
    struct wr_vfs *vfs;           /* wr_vfs_os() */
    const struct wr_clock *clock; /* wr_clock_os() */
    struct wr_rng *rng;           /* one of its own, seeded by the kernel; for topic ids */
    enum wr_durability durability;
    uint32_t interval_ms;        /* 1000 */
    uint32_t journal_file_bytes; /* 16 MiB; a multiple of 4096, 64 KiB .. 1 GiB */
    uint32_t journal_file_count; /* 32 at most, made when needed; 2 .. 64 */
    uint32_t
        placed_bytes_min; /* 256 KiB: from here on a partition's bytes of one commit go straight to
                                     their segment, and only their place and CRC into the journal */
    size_t commit_bytes_max;        /* 72 MiB: see wr_log_writer_commit_max() */
    uint32_t commits_in_flight_max; /* 16 a writer; more: wr_log_writer_commit() says AGAIN */
    uint64_t room_bytes_min; /* 16 MiB: with less free on the disk, commits are answered AGAIN */
    uint32_t open_files_max; /* 256 segment files held open at most */
    const struct wr_topic_setting
        *defaults; /* for topics that do not say otherwise; Kafka's topic keys */
    size_t default_count;
    bool threads;

    /* Called once, from the thread that met it, when a sync or a write of the journal or of a segment
     * failed: the log takes no more work, and the process should end. */
    void (*on_fatal)(void *arg, const struct weir_error *err);

    /* What a person should be told: a torn tail was cut, damage was found, … Any thread. */
    void (*on_notice)(void *arg, enum wr_level level, const char *text);
    void *arg; /* for both */
};

/* Open the folder: take its lock, recover, start the threads if asked.
 *   out  owned by the caller, wr_log_close()
 * Returns 0, or
 *   WEIR_E_BUSY     another process has it open
 *   WEIR_E_INPUT    an option or default setting is out of range
 *   WEIR_E_CORRUPT  the folder is not a log of a version that this program reads
 *   WEIR_E_FULL, WEIR_E_IO, WEIR_E_NOMEM
 * Damage inside is no failure: the partitions concerned refuse writes, the rest serves. */
WR_MUST_USE int wr_embedded_open(const struct wr_embedded_options *options, struct wr_log **out,
                                 struct weir_error *err);

/* Let go of the memory and the files without writing anything, as if the process had been killed; for
 * tests and simulation, where it stands for kill -9. Writers, readers and topic handles are closed
 * before. */
void wr_embedded_abandon(struct wr_log *log);

/* ---- the steps, for `threads: false` ------------------------------------------------------------------ */

/* One round: take the commits that wait, write and sync the journal, write the segments, raise the high
 * watermarks, answer. Also the sync that an interval asks for, when its time has come.
 * Returns 1 when it did something, 0 when there was nothing to do, or WEIR_E_IO when the log has failed.
 * Commits that wait for room on a full disk do not count until the room or their second has come. */
WR_MUST_USE int wr_embedded_step(struct wr_log *log, struct weir_error *err);

/* Sync the segments, record how far they reach, free the journal. Returns 0, WEIR_E_FULL (nothing
 * changed; try again when there is room), or WEIR_E_IO when the log has failed. */
WR_MUST_USE int wr_embedded_checkpoint(struct wr_log *log, struct weir_error *err);

/* Retention and what goes with it, as of the clock: roll segments that are due by segment.ms, move log
 * starts, remove segments that lie below them and below the checkpoint, and the folders of deleted
 * topics. Returns 1 when it changed something, 0, or as wr_embedded_step(). */
WR_MUST_USE int wr_embedded_retain(struct wr_log *log, struct weir_error *err);

/* Start a new segment in a partition, unless the active one is empty. */
WR_MUST_USE int wr_embedded_roll(struct wr_log *log, const struct wr_log_topic *topic,
                                 uint32_t partition, struct weir_error *err);

/* ---- what it did --------------------------------------------------------------------------------------- */

/* Counted since the folder was opened. */
struct wr_embedded_stats {
    uint64_t rounds;        /* gathered writes of the journal */
    uint64_t commits;       /* answered DONE */
    uint64_t journal_syncs; /* fdatasyncs of the journal */
    uint64_t segment_syncs; /* fdatasyncs of segments: placed commits and checkpoints */
    uint64_t journal_bytes;
    uint64_t placed_bytes;
    uint64_t checkpoints;
};

/* What opening found and did. After any recovery and its first step, opening once more finds was_clean, or
 * replays at most what was written since, and repairs nothing. (Before that step, which readers need not wait
 * for, it does the same again.) */
struct wr_embedded_recovery {
    bool was_new;        /* the folder was empty */
    bool was_clean;      /* the last stop was clean: nothing to replay */
    uint64_t entries;    /* replayed from the journal */
    uint64_t torn_bytes; /* cut from the journal's end */
    uint64_t cut_bytes;  /* cut from segments: they held more than the journal made durable */
    uint32_t
        repairs; /* torn tails, segments cut, checkpoint or catalog rebuilt, leftovers removed */
    uint32_t damaged;     /* partitions that refuse writes */
    int32_t leader_epoch; /* of this run: one more after each unclean stop */
};

/* Fill `out`. Any thread. */
void wr_embedded_stats(struct wr_log *log, struct wr_embedded_stats *out);
void wr_embedded_recovery(struct wr_log *log, struct wr_embedded_recovery *out);

#endif
