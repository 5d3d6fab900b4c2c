#include "log/embedded/overlay_content.h"

enum {
    PAGE_BYTES = 4096,
    PAGES_MAX = 1 << 24
};

struct wr_overlay_page {
    uint64_t number;
    uint8_t *bytes; /* PAGE_BYTES of them, owned */
};

static void drop_pages(struct wr_overlay_content *content, size_t from)
{
    for (size_t i = from; i < content->page_count; i++) {
        wr_free(content->pages[i].bytes);
    }
    content->page_count = from;
}

void wr_overlay_content_rest(struct wr_overlay_content *content)
{
    wr_file_close(content->real);
    content->real = NULL;
}

void wr_overlay_content_fini(struct wr_overlay_content *content)
{
    drop_pages(content, 0);
    wr_free(content->pages);
    wr_overlay_content_rest(content);
    wr_free(content->real_path);
    *content = (struct wr_overlay_content){0};
}

void wr_overlay_content_cut(struct wr_overlay_content *content, uint64_t len)
{
    size_t kept = 0;
    while (kept < content->page_count && content->pages[kept].number * PAGE_BYTES < len) {
        kept++;
    }
    drop_pages(content, kept);
    if (kept > 0 && len % PAGE_BYTES != 0 && content->pages[kept - 1].number == len / PAGE_BYTES) {
        size_t in = (size_t)(len % PAGE_BYTES);
        memset(content->pages[kept - 1].bytes + in, 0, PAGE_BYTES - in);
    }
    content->real_bytes = len < content->real_bytes ? len : content->real_bytes;
    content->size = len;
}

/* The place of a page in the table, or where it would be. */
static size_t place_of(const struct wr_overlay_content *content, uint64_t number)
{
    size_t low = 0;
    size_t high = content->page_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (content->pages[middle].number < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static uint8_t *page_at(const struct wr_overlay_content *content, uint64_t number)
{
    size_t at = place_of(content, number);
    bool is_here = at < content->page_count && content->pages[at].number == number;
    return is_here ? content->pages[at].bytes : NULL;
}

/* Bytes that no page covers: from below, or zeros. */
static int read_below(struct wr_overlay_content *content, struct wr_vfs *base, uint8_t *buf,
                      size_t len, uint64_t at, struct weir_error *err)
{
    memset(buf, 0, len);
    if (at >= content->real_bytes) {
        return 0;
    }
    if (content->real == NULL) {
        int rc = wr_file_open(base, content->real_path, WR_OPEN_READ, &content->real, err);
        if (rc < 0) {
            return rc;
        }
    }
    size_t there = content->real_bytes - at < len ? (size_t)(content->real_bytes - at) : len;
    int64_t got = wr_file_read(content->real, buf, there, at, err);
    return got < 0 ? (int)got : 0;
}

/* To the end of the page that `at` is in, or as far as there is none. */
int64_t wr_overlay_content_read(struct wr_overlay_content *content, struct wr_vfs *base, void *buf,
                                size_t len, uint64_t at, struct weir_error *err)
{
    if (at >= content->size) {
        return 0;
    }
    len = content->size - at < len ? (size_t)(content->size - at) : len;
    uint64_t number = at / PAGE_BYTES;
    const uint8_t *page = page_at(content, number);
    if (page != NULL) {
        size_t in = (size_t)(at % PAGE_BYTES);
        size_t there = PAGE_BYTES - in < len ? PAGE_BYTES - in : len;
        memcpy(buf, page + in, there);
        return (int64_t)there;
    }
    size_t next = place_of(content, number);
    if (next < content->page_count && content->pages[next].number * PAGE_BYTES - at < len) {
        len = (size_t)(content->pages[next].number * PAGE_BYTES - at);
    }
    int rc = read_below(content, base, buf, len, at, err);
    return rc < 0 ? rc : (int64_t)len;
}

static int no_memory(struct weir_error *err)
{
    return wr_fail(err, WEIR_E_NOMEM, "page of an overlay");
}

/* The page, made when it is not there. */
static int page_for(struct wr_overlay_content *content, struct wr_vfs *base, uint64_t number,
                    uint8_t **out, struct weir_error *err)
{
    *out = page_at(content, number);
    if (*out != NULL) {
        return 0;
    }
    uint8_t *bytes = wr_alloc_array(PAGE_BYTES, 1);
    if (bytes == NULL || !wr_grow(&content->pages, &content->page_cap, content->page_count + 1,
                                  sizeof(*content->pages), PAGES_MAX)) {
        wr_free(bytes);
        return no_memory(err);
    }
    int rc = read_below(content, base, bytes, PAGE_BYTES, number * PAGE_BYTES, err);
    if (rc < 0) {
        wr_free(bytes);
        return rc;
    }
    size_t at = place_of(content, number);
    memmove(&content->pages[at + 1], &content->pages[at],
            (content->page_count - at) * sizeof(*content->pages));
    content->pages[at] = (struct wr_overlay_page){number, bytes};
    content->page_count++;
    *out = bytes;
    return 0;
}

int wr_overlay_content_write(struct wr_overlay_content *content, struct wr_vfs *base,
                             const void *buf, size_t len, uint64_t at, struct weir_error *err)
{
    size_t done = 0;
    while (done < len) {
        uint8_t *page = NULL;
        int rc = page_for(content, base, (at + done) / PAGE_BYTES, &page, err);
        if (rc < 0) {
            return rc;
        }
        size_t in = (size_t)((at + done) % PAGE_BYTES);
        size_t part = PAGE_BYTES - in < len - done ? PAGE_BYTES - in : len - done;
        memcpy(page + in, (const uint8_t *)buf + done, part);
        done += part;
    }
    content->size = at + len > content->size ? at + len : content->size;
    return 0;
}
