/* memory_writer.c - the model's writers: filling a commit, deciding it, answering it. */
#include "log/memory_state.h"

#include <inttypes.h>

static struct mem_writer *writer_of(const struct wr_log_writer *writer)
{
    return (struct mem_writer *)(uintptr_t)writer;
}

/* ---- commits ---- */

static void offset_fini(struct mem_offset *offset)
{
    wr_free(offset->group);
}

static void commit_free(struct mem_commit *commit)
{
    for (size_t i = 0; i < commit->count; i++) {
        mem_topic_unref(commit->entries[i].topic);
        if (commit->entries[i].record != NULL) {
            mem_record_unref(commit->entries[i].record);
        }
    }
    for (size_t i = 0; i < commit->offset_count; i++) {
        offset_fini(&commit->offsets[i]);
    }
    wr_free(commit->entries);
    wr_free(commit->offsets);
    wr_free(commit);
}

static void commits_push(struct mem_commits *list, struct mem_commit *commit)
{
    commit->next = NULL;
    if (list->last == NULL) {
        list->first = commit;
    } else {
        list->last->next = commit;
    }
    list->last = commit;
    list->count++;
}

static struct mem_commit *commits_pop(struct mem_commits *list)
{
    struct mem_commit *commit = list->first;
    if (commit != NULL) {
        list->first = commit->next;
        list->last = list->first == NULL ? NULL : list->last;
        list->count--;
    }
    return commit;
}

/* ---- transactions ---- */

static bool is_touched(const struct mem_partition *part, const struct mem_txn *txn)
{
    for (size_t i = 0; i < part->count; i++) {
        if (part->records[i]->txn == txn) {
            return true;
        }
    }
    return false;
}

static void count_open(struct mem_partition *part)
{
    part->open_count = 0;
    for (size_t i = 0; i < part->count; i++) {
        const struct mem_txn *txn = part->records[i]->txn;
        part->open_count += txn != NULL && txn->state == MEM_OPEN ? 1 : 0;
    }
}

static void end_txn_in(struct mem_log *log, struct mem_txn *txn, struct mem_partition *part)
{
    if (!is_touched(part, txn)) {
        return;
    }
    count_open(part);
    struct mem_record *marker = mem_alloc(1, sizeof(*marker));
    *marker = (struct mem_record){.refs = 1, .txn = txn, .is_marker = true};
    mem_partition_add(log, part, marker);
}

/* End it in every partition where it has records: there a marker takes one offset, as in Kafka. */
static void end_txn(struct mem_log *log, struct mem_txn *txn, bool keep)
{
    if (txn == NULL || txn->state != MEM_OPEN) {
        return;
    }
    txn->state = keep ? MEM_KEPT : MEM_ABORTED;
    for (size_t i = 0; i < log->topic_count; i++) {
        for (uint32_t p = 0; p < log->topics[i]->topic.partition_count; p++) {
            end_txn_in(log, txn, &log->topics[i]->partitions[p]);
        }
    }
    mem_tell_readers(log);
}

/* ---- answers ---- */

static struct mem_answer *answer_add(struct mem_log *log, struct mem_writer *w, uint64_t number)
{
    struct mem_answer *answer = mem_alloc(1, sizeof(*answer));
    answer->serial = ++log->answer_serial;
    answer->is_held = log->hold == WR_MEMORY_HOLD_ANSWERS;
    answer->answer.commit = number;
    struct mem_answer **end = &w->answers;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = answer;
    if (!answer->is_held) {
        wr_wake_signal(&w->wake);
    }
    return answer;
}

static void answer_free(struct mem_answer *answer)
{
    for (size_t i = 0; answer != NULL && i < answer->answer.written_count; i++) {
        mem_topic_unref(mem_topic_of(answer->written[i].topic));
    }
    if (answer != NULL) {
        wr_free(answer->written);
    }
    wr_free(answer);
}

/* ---- deciding ---- */

static int check_writable(const struct mem_topic *topic, uint32_t partition, struct weir_error *err)
{
    if (topic->is_deleted) {
        return wr_fail(err, WEIR_E_NOTFOUND, "topic '%s' was deleted", topic->topic.name);
    }
    if (topic->partitions[partition].damaged_at >= 0) {
        return wr_fail(err, WEIR_E_DAMAGED, "topic '%s' partition %u is damaged at offset %" PRId64,
                       topic->topic.name, partition, topic->partitions[partition].damaged_at);
    }
    return 0;
}

/* Can all its records go where they want? */
static int check_commit(const struct mem_commit *commit, struct weir_error *err)
{
    int rc = 0;
    for (size_t i = 0; i < commit->count && rc == 0; i++) {
        rc = check_writable(commit->entries[i].topic, commit->entries[i].partition, err);
    }
    return rc;
}

static void stamp(const struct mem_log *log, struct mem_topic *topic, uint32_t partition,
                  struct mem_record *record)
{
    struct mem_partition *part = &topic->partitions[partition];
    int64_t now_ms = wr_wall_ms(log->options.clock);
    if (topic->config.timestamp_type == WR_LOG_APPEND_TIME) {
        now_ms = now_ms < part->last_append_ms ? part->last_append_ms : now_ms;
        part->last_append_ms = now_ms;
        record->record.timestamp_ms = now_ms;
    } else if (record->record.timestamp_ms < 0) {
        record->record.timestamp_ms = now_ms;
    }
}

/* Count a record that was written, under its partition. */
static void note_written(struct mem_answer *answer, const struct mem_entry *entry)
{
    for (size_t i = 0; i < answer->answer.written_count; i++) {
        struct wr_log_written *written = &answer->written[i];
        if (written->topic == &entry->topic->topic && written->partition == entry->partition) {
            written->record_count++;
            return;
        }
    }
    entry->topic->refs++;
    answer->written[answer->answer.written_count++] = (struct wr_log_written){
        .topic = &entry->topic->topic,
        .partition = entry->partition,
        .base_offset = entry->record->offset,
        .record_count = 1,
    };
}

/* Do it, all at once. `answer` may be NULL. */
static void apply(struct mem_log *log, struct mem_commit *commit, struct mem_answer *answer)
{
    if (commit->is_end) {
        end_txn(log, commit->txn, commit->keep);
    }
    if (answer != NULL) {
        answer->written = mem_alloc(commit->count + 1, sizeof(*answer->written));
    }
    for (size_t i = 0; i < commit->count; i++) {
        struct mem_entry *entry = &commit->entries[i];
        entry->record->txn = commit->is_end ? NULL : commit->txn;
        stamp(log, entry->topic, entry->partition, entry->record);
        entry->record->refs++;
        mem_partition_add(log, &entry->topic->partitions[entry->partition], entry->record);
        if (answer != NULL) {
            note_written(answer, entry);
        }
    }
    for (size_t i = 0; i < commit->offset_count; i++) {
        mem_group_keep(log, commit->offsets[i]);
    }
    commit->offset_count = 0; /* taken */
    if (answer != NULL) {
        answer->answer.written = answer->written;
    }
    mem_tell_readers(log);
}

static enum wr_memory_outcome next_outcome(struct mem_log *log)
{
    if (log->outcome_count == 0) {
        return WR_MEMORY_DONE;
    }
    enum wr_memory_outcome outcome = log->outcomes[0];
    memmove(log->outcomes, log->outcomes + 1, --log->outcome_count * sizeof(outcome));
    return outcome;
}

/* It is not done, and is not answered either. With an end goes its transaction. */
static void drop(struct mem_log *log, struct mem_writer *w, struct mem_commit *commit)
{
    w->in_flight--;
    if (commit->is_end) {
        end_txn(log, commit->txn, false);
    }
    commit_free(commit);
}

/* One of a closed writer was not done, or its writer was in a state in which none is: nor are those behind
 * it. */
static void drop_line(struct mem_log *log, uint64_t line)
{
    struct mem_commits waiting = log->waiting;
    log->waiting = (struct mem_commits){0};
    for (struct mem_commit *c = commits_pop(&waiting); c != NULL; c = commits_pop(&waiting)) {
        if (c->line != line) {
            commits_push(&log->waiting, c);
            continue;
        }
        end_txn(log, c->txn, false);
        commit_free(c);
    }
}

/* Answer with anything but DONE, and bring the writer into the state that follows. */
static void refuse(struct mem_log *log, struct mem_commit *commit, enum wr_memory_outcome outcome,
                   const struct weir_error *why)
{
    struct mem_writer *w = commit->writer;
    struct mem_answer *answer = w == NULL ? NULL : answer_add(log, w, commit->number);
    if (outcome != WR_MEMORY_AGAIN || w == NULL) {
        end_txn(log, commit->txn, false);
    }
    if (w == NULL) {
        commit_free(commit);
        return;
    }
    struct wr_log_answer *a = &answer->answer;
    a->err = *why;
    if (outcome == WR_MEMORY_AGAIN) {
        a->outcome = WR_COMMIT_AGAIN;
        w->is_stalled = true;
        commits_push(&w->stalled, commit);
        return;
    }
    end_txn(log, w->txn, false);
    w->txn = NULL;
    w->is_dropping = outcome == WR_MEMORY_REWIND;
    w->is_over = !w->is_dropping;
    w->is_fenced = w->is_fenced || outcome == WR_MEMORY_FENCED;
    a->outcome = outcome == WR_MEMORY_REWIND ? WR_COMMIT_REWIND : WR_COMMIT_FENCED;
    commit_free(commit);
}

/* Answer UNKNOWN; the writer takes nothing more, and its transaction waits for the next of its id. */
static void leave_unknown(struct mem_log *log, struct mem_commit *commit, bool is_done)
{
    struct mem_writer *w = commit->writer;
    if (is_done) {
        apply(log, commit, NULL);
    }
    if (w != NULL) {
        struct wr_log_answer *a = &answer_add(log, w, commit->number)->answer;
        a->outcome = WR_COMMIT_UNKNOWN;
        (void)wr_fail(&a->err, WEIR_E_CONNECT, "commit %" PRIu64 ": no answer in time",
                      commit->number);
        w->is_over = true;
        w->txn = commit->is_end && !is_done ? commit->txn : w->txn;
    } else if (!is_done) {
        end_txn(log, commit->txn, false); /* nobody is left who would */
    }
    commit_free(commit);
}

/* What the script says of the next commit, and `err` why, for all but DONE. */
static enum wr_memory_outcome script_outcome(struct mem_log *log, const struct mem_commit *commit,
                                             struct weir_error *err)
{
    enum wr_memory_outcome outcome = next_outcome(log);
    switch (outcome) {
    case WR_MEMORY_AGAIN: (void)wr_fail(err, WEIR_E_FULL, "told to answer AGAIN"); break;
    case WR_MEMORY_REWIND: (void)wr_fail(err, WEIR_E_CONNECT, "told to answer REWIND"); break;
    case WR_MEMORY_FENCED: (void)wr_fail(err, WEIR_E_FENCED, "told to answer FENCED"); break;
    case WR_MEMORY_DONE:
    case WR_MEMORY_UNKNOWN_DONE:
        outcome = check_commit(commit, err) < 0 ? WR_MEMORY_REWIND : outcome;
        break;
    case WR_MEMORY_UNKNOWN:
    default: break;
    }
    return outcome;
}

static void decide_by_script(struct mem_log *log, struct mem_commit *commit)
{
    struct weir_error err;
    uint64_t closed_line = commit->writer == NULL ? commit->line : 0;
    enum wr_memory_outcome outcome = script_outcome(log, commit, &err);
    if (outcome != WR_MEMORY_DONE && closed_line != 0) {
        drop_line(log, closed_line);
    }
    if (outcome == WR_MEMORY_UNKNOWN || outcome == WR_MEMORY_UNKNOWN_DONE) {
        leave_unknown(log, commit, outcome == WR_MEMORY_UNKNOWN_DONE);
        return;
    }
    if (outcome != WR_MEMORY_DONE) {
        refuse(log, commit, outcome, &err);
        return;
    }
    struct mem_writer *w = commit->writer;
    struct mem_answer *answer = w == NULL ? NULL : answer_add(log, w, commit->number);
    apply(log, commit, answer);
    commit_free(commit);
}

static void decide(struct mem_log *log, struct mem_commit *commit)
{
    struct mem_writer *w = commit->writer;
    if (w != NULL && w->is_stalled) {
        commits_push(&w->stalled, commit);
    } else if (w != NULL && (w->is_dropping || w->is_over)) {
        drop(log, w, commit);
    } else if (w != NULL && w->is_fenced) {
        struct weir_error err;
        (void)wr_fail(&err, WEIR_E_FENCED, "a later writer '%s' has taken over", w->id);
        refuse(log, commit, WR_MEMORY_FENCED, &err);
    } else {
        decide_by_script(log, commit);
    }
}

size_t mem_decide(struct mem_log *log, size_t count)
{
    size_t done = 0;
    while (done < count && log->waiting.first != NULL) {
        decide(log, commits_pop(&log->waiting));
        done++;
    }
    return done;
}

static void hand_over(struct mem_log *log, struct mem_commit *commit)
{
    commits_push(&log->waiting, commit);
    if (log->hold != WR_MEMORY_HOLD_COMMITS) {
        (void)mem_decide(log, SIZE_MAX);
    }
}

/* ---- the interface ---- */

/* Decide what a former writer of this id, closed or not, has handed over: whoever opens one reads back what
 * is there, and nothing of the former's may come after that. */
static void settle_former(struct mem_log *log, const char *id)
{
    for (const struct mem_commit *c = log->waiting.first; c != NULL; c = c->next) {
        bool is_former =
            c->writer == NULL || (c->writer->id != NULL && strcmp(c->writer->id, id) == 0);
        if (is_former) {
            (void)mem_decide(log, SIZE_MAX);
            return;
        }
    }
}

static int writer_open(struct wr_log *base, const struct wr_log_writer_options *options,
                       struct wr_log_writer **out, struct weir_error *err)
{
    struct mem_log *log = mem_log_of(base);
    struct wr_wake wake;
    int rc = wr_wake_open(&wake, err);
    if (rc < 0) {
        return rc;
    }
    rc = mem_enter(log, WR_MEMORY_WRITER_OPEN, err);
    if (rc < 0) {
        wr_wake_close(&wake);
        return rc;
    }
    struct mem_writer *w = mem_alloc(1, sizeof(*w));
    w->writer.log = base;
    w->writer.commit_max_bytes = log->options.commit_bytes_max;
    w->wake = wake;
    w->id = options->id == NULL ? NULL : mem_strdup(options->id);
    w->line = ++log->line_serial;
    for (struct mem_writer *old = log->writers; old != NULL && w->id != NULL; old = old->next) {
        if (old->id != NULL && strcmp(old->id, w->id) == 0) {
            old->is_fenced = true;
            end_txn(log, old->txn, false);
            old->txn = NULL;
        }
    }
    if (w->id != NULL) {
        settle_former(log, w->id);
    }
    w->next = log->writers;
    log->writers = w;
    mem_leave(log);
    *out = &w->writer;
    return 0;
}

static void unlink_writer(struct mem_log *log, struct mem_writer *w)
{
    struct mem_writer **at = &log->writers;
    while (*at != w) {
        at = &(*at)->next;
    }
    *at = w->next;
    if (w->is_stalled || w->is_dropping || w->is_over) {
        drop_line(log, w->line);
    }
    for (struct mem_commit *c = log->waiting.first; c != NULL; c = c->next) {
        c->writer = c->writer == w ? NULL : c->writer;
    }
}

static void writer_close(struct wr_log_writer *writer)
{
    struct mem_writer *w = writer_of(writer);
    struct mem_log *log = mem_log_of(writer->log);
    pthread_mutex_lock(&log->lock);
    unlink_writer(log, w);
    end_txn(log, w->txn, false);
    for (struct mem_commit *c = commits_pop(&w->stalled); c != NULL; c = commits_pop(&w->stalled)) {
        end_txn(log, c->txn, false);
        commit_free(c);
    }
    if (w->filling != NULL) {
        commit_free(w->filling);
    }
    answer_free(w->given);
    while (w->answers != NULL) {
        struct mem_answer *answer = w->answers;
        w->answers = answer->next;
        answer_free(answer);
    }
    mem_leave(log);
    wr_wake_close(&w->wake);
    wr_free(w->id);
    wr_free(w);
}

static size_t bytes_of(const struct wr_record *record)
{
    size_t bytes = record->key.len + record->value.len;
    for (size_t i = 0; i < record->header_count; i++) {
        bytes += record->headers[i].name.len + record->headers[i].value.len;
    }
    return bytes;
}

/* Copy a slice to *to, which moves behind it; null stays null. */
static struct wr_bytes put(uint8_t **to, struct wr_bytes from)
{
    if (from.ptr == NULL) {
        return from;
    }
    struct wr_bytes copy = {*to, from.len};
    if (from.len > 0) {
        memcpy(*to, from.ptr, from.len);
    }
    *to += from.len;
    return copy;
}

/* A copy of a record, in one piece. */
static struct mem_record *copy_record(const struct wr_record *record)
{
    size_t fixed = sizeof(struct mem_record) + record->header_count * sizeof(struct wr_header);
    struct mem_record *copy = mem_alloc(1, fixed + bytes_of(record) + 1);
    struct wr_header *headers = (struct wr_header *)(void *)(copy + 1);
    uint8_t *to = (uint8_t *)copy + fixed;
    copy->refs = 1;
    copy->record = (struct wr_record){
        .key = put(&to, record->key),
        .value = put(&to, record->value),
        .headers = headers,
        .header_count = record->header_count,
        .timestamp_ms = record->timestamp_ms,
    };
    for (size_t i = 0; i < record->header_count; i++) {
        headers[i].name = wr_str_of_bytes(put(&to, wr_bytes_of_str(record->headers[i].name)));
        headers[i].value = put(&to, record->headers[i].value);
    }
    return copy;
}

static struct mem_commit *filling_of(struct mem_writer *w)
{
    if (w->filling == NULL) {
        w->filling = mem_alloc(1, sizeof(*w->filling));
        w->filling->writer = w;
        w->filling->line = w->line;
    }
    return w->filling;
}

static int check_room(const struct mem_writer *w, size_t bytes, struct weir_error *err)
{
    size_t max = w->writer.commit_max_bytes;
    if (bytes > max) {
        return wr_fail(err, WEIR_E_LIMIT,
                       "a record of %zu bytes is over the %zu that one commit may hold", bytes,
                       max);
    }
    size_t pending = w->filling == NULL ? 0 : w->filling->bytes;
    if (bytes > max - pending) {
        return wr_fail(err, WEIR_E_LIMIT,
                       "the commit would have more than %zu bytes: commit first, then append again",
                       max);
    }
    return 0;
}

static int append(struct wr_log_writer *writer, struct wr_log_topic *handle, uint32_t partition,
                  const struct wr_record *record, struct weir_error *err)
{
    struct mem_writer *w = writer_of(writer);
    struct mem_log *log = mem_log_of(writer->log);
    struct mem_topic *topic = mem_topic_of(handle);
    size_t bytes = bytes_of(record);
    if (partition == WR_PARTITION_BY_KEY) {
        partition = record->key.ptr != NULL
                        ? wr_partition_of_key(record->key, handle->partition_count)
                        : w->turn++ % handle->partition_count;
    }
    int rc = mem_enter(log, WR_MEMORY_APPEND, err);
    if (rc < 0) {
        return rc;
    }
    rc = check_writable(topic, partition, err);
    rc = rc < 0 ? rc : check_room(w, bytes, err);
    if (rc == 0) {
        struct mem_commit *commit = filling_of(w);
        mem_grow(&commit->entries, &commit->cap, commit->count, sizeof(*commit->entries));
        commit->entries[commit->count++] =
            (struct mem_entry){topic, partition, copy_record(record)};
        commit->bytes += bytes;
        topic->refs++;
    }
    mem_leave(log);
    return rc;
}

static int writer_offsets(struct wr_log_writer *writer, const char *group,
                          const struct wr_group_offset *offsets, size_t count,
                          struct weir_error *err)
{
    struct mem_log *log = mem_log_of(writer->log);
    int rc = mem_enter(log, WR_MEMORY_OFFSETS, err);
    if (rc < 0) {
        return rc;
    }
    struct mem_commit *commit = filling_of(writer_of(writer));
    for (size_t i = 0; i < count; i++) {
        mem_grow(&commit->offsets, &commit->offset_cap, commit->offset_count,
                 sizeof(*commit->offsets));
        commit->offsets[commit->offset_count++] = (struct mem_offset){
            .group = mem_strdup(group),
            .topic = offsets[i].topic->id,
            .partition = offsets[i].partition,
            .offset = offsets[i].offset,
            .leader_epoch = offsets[i].leader_epoch,
        };
    }
    mem_leave(log);
    return 0;
}

static size_t writer_pending(const struct wr_log_writer *writer, size_t *bytes)
{
    const struct mem_commit *commit = writer_of(writer)->filling;
    *bytes = commit == NULL ? 0 : commit->bytes;
    return commit == NULL ? 0 : commit->count;
}

/* May it hand over one more? */
static int check_flight(const struct mem_log *log, const struct mem_writer *w,
                        struct weir_error *err)
{
    if (w->is_fenced || (w->is_over && w->answers == NULL)) {
        return wr_fail(err, WEIR_E_FENCED, "writer '%s' must be opened again",
                       w->id == NULL ? "" : w->id);
    }
    if (w->in_flight >= log->options.commits_in_flight_max) {
        return wr_fail(err, WEIR_E_AGAIN, "%zu commits are under way", w->in_flight);
    }
    return 0;
}

static int hand_over_filling(struct wr_log_writer *writer, bool is_end, bool keep, uint64_t *out,
                             struct weir_error *err)
{
    struct mem_writer *w = writer_of(writer);
    struct mem_log *log = mem_log_of(writer->log);
    int rc = mem_enter(log, is_end ? WR_MEMORY_END : WR_MEMORY_COMMIT, err);
    if (rc < 0) {
        return rc;
    }
    rc = check_flight(log, w, err);
    if (rc == 0) {
        struct mem_commit *commit = filling_of(w);
        w->filling = NULL;
        w->in_flight++;
        commit->number = ++w->last_number;
        commit->txn = w->txn;
        commit->is_end = is_end;
        commit->keep = keep;
        w->txn = is_end ? NULL : w->txn;
        *out = commit->number;
        hand_over(log, commit);
    }
    mem_leave(log);
    return rc;
}

static int writer_commit(struct wr_log_writer *writer, unsigned flags, uint64_t *out,
                         struct weir_error *err)
{
    WR_UNUSED(flags); /* all that is done here is as durable as it gets */
    return hand_over_filling(writer, false, false, out, err);
}

static void writer_drop(struct wr_log_writer *writer)
{
    struct mem_writer *w = writer_of(writer);
    struct mem_log *log = mem_log_of(writer->log);
    pthread_mutex_lock(&log->lock);
    if (w->filling != NULL) {
        commit_free(w->filling);
        w->filling = NULL;
    }
    mem_leave(log);
}

static int writer_mark(struct wr_log_writer *writer, struct weir_error *err)
{
    struct mem_writer *w = writer_of(writer);
    struct mem_log *log = mem_log_of(writer->log);
    int rc = mem_enter(log, WR_MEMORY_MARK, err);
    if (rc < 0) {
        return rc;
    }
    if (w->is_fenced) {
        rc = wr_fail(err, WEIR_E_FENCED, "a later writer '%s' has taken over", w->id);
    } else {
        w->txn = mem_alloc(1, sizeof(*w->txn));
        w->txn->next = log->txns;
        log->txns = w->txn;
    }
    mem_leave(log);
    return rc;
}

static int writer_end(struct wr_log_writer *writer, bool keep, uint64_t *out,
                      struct weir_error *err)
{
    return hand_over_filling(writer, true, keep, out, err);
}

static int writer_retry(struct wr_log_writer *writer, struct weir_error *err)
{
    struct mem_writer *w = writer_of(writer);
    struct mem_log *log = mem_log_of(writer->log);
    int rc = mem_enter(log, WR_MEMORY_RETRY, err);
    if (rc < 0) {
        return rc;
    }
    struct mem_commits since = log->waiting;
    log->waiting = w->stalled; /* in front of what was handed over since */
    w->stalled = (struct mem_commits){0};
    w->is_stalled = false;
    for (struct mem_commit *c = commits_pop(&since); c != NULL; c = commits_pop(&since)) {
        commits_push(&log->waiting, c);
    }
    if (log->hold != WR_MEMORY_HOLD_COMMITS) {
        (void)mem_decide(log, SIZE_MAX);
    }
    mem_leave(log);
    return 0;
}

static int writer_poll(struct wr_log_writer *writer, struct wr_log_answer *out,
                       struct weir_error *err)
{
    struct mem_writer *w = writer_of(writer);
    struct mem_log *log = mem_log_of(writer->log);
    int rc = mem_enter(log, WR_MEMORY_WRITER_POLL, err);
    if (rc < 0) {
        return rc;
    }
    answer_free(w->given);
    w->given = NULL;
    struct mem_answer *answer = w->answers;
    if (answer == NULL || answer->is_held) {
        (void)wr_wake_clear(&w->wake);
        mem_leave(log);
        return 0;
    }
    w->answers = answer->next;
    w->given = answer;
    w->in_flight -= answer->answer.outcome == WR_COMMIT_AGAIN ? 0 : 1;
    if (answer->answer.outcome == WR_COMMIT_REWIND) {
        w->is_dropping = false;
        if (w->filling != NULL) {
            commit_free(w->filling);
            w->filling = NULL;
        }
    }
    *out = answer->answer;
    mem_leave(log);
    return 1;
}

static int writer_fd(const struct wr_log_writer *writer)
{
    return writer_of(writer)->wake.fd;
}

void mem_writer_ops(struct wr_log_ops *ops)
{
    ops->writer_open = writer_open;
    ops->writer_close = writer_close;
    ops->append = append;
    ops->writer_offsets = writer_offsets;
    ops->writer_pending = writer_pending;
    ops->writer_commit = writer_commit;
    ops->writer_drop = writer_drop;
    ops->writer_mark = writer_mark;
    ops->writer_end = writer_end;
    ops->writer_retry = writer_retry;
    ops->writer_poll = writer_poll;
    ops->writer_fd = writer_fd;
}

/* ---- what it can be told ---- */

void wr_memory_log_hold(struct wr_log *log, enum wr_memory_hold hold)
{
    struct mem_log *m = mem_log_of(log);
    pthread_mutex_lock(&m->lock);
    m->hold = hold;
    mem_leave(m);
    if (hold == WR_MEMORY_HOLD_NOTHING) {
        (void)wr_memory_log_release(log, SIZE_MAX);
    }
}

/* The oldest answer that is held, and whose it is; NULL when none is. */
static struct mem_answer *oldest_held(const struct mem_log *log, struct mem_writer **owner)
{
    struct mem_answer *oldest = NULL;
    for (struct mem_writer *w = log->writers; w != NULL; w = w->next) {
        struct mem_answer *a = w->answers;
        while (a != NULL && !a->is_held) {
            a = a->next;
        }
        if (a != NULL && (oldest == NULL || a->serial < oldest->serial)) {
            oldest = a;
            *owner = w;
        }
    }
    return oldest;
}

size_t wr_memory_log_release(struct wr_log *log, size_t count)
{
    struct mem_log *m = mem_log_of(log);
    pthread_mutex_lock(&m->lock);
    size_t done = 0;
    struct mem_writer *owner = NULL;
    struct mem_answer *held = oldest_held(m, &owner);
    while (done < count && held != NULL) {
        held->is_held = false;
        wr_wake_signal(&owner->wake);
        done++;
        held = oldest_held(m, &owner);
    }
    done += mem_decide(m, count - done);
    mem_leave(m);
    return done;
}

size_t wr_memory_log_waiting(struct wr_log *log)
{
    struct mem_log *m = mem_log_of(log);
    pthread_mutex_lock(&m->lock);
    size_t count = m->waiting.count;
    mem_leave(m);
    return count;
}
