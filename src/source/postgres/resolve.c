#include "source/postgres/resolve.h"

#include "base/wake.h"
#include "base/writer.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>

enum {
    TEXT_BYTES_MAX = 64 << 10,
    STACK_BYTES = 256 << 10,
    ADDRESS_MAX = INET6_ADDRSTRLEN + 1
};

/* One look-up. Two hold it, the thread that makes it and the one that asked; the last one frees it. */
struct lookup {
    char *name;
    struct wr_wake done;
    int result; /* of getaddrinfo(); valid once done */
    struct addrinfo *found;
    atomic_int holders;
};

static void let_go(struct lookup *l)
{
    if (atomic_fetch_sub(&l->holders, 1) != 1) {
        return;
    }
    if (l->found != NULL) {
        freeaddrinfo(l->found);
    }
    wr_wake_close(&l->done);
    wr_free(l->name);
    wr_free(l);
}

static void *run(void *arg)
{
    struct lookup *l = arg;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_UNSPEC};
    l->result = getaddrinfo(l->name, NULL, &hints, &l->found);
    wr_wake_signal(&l->done);
    let_go(l);
    return NULL;
}

static struct lookup *lookup_new(struct wr_str name, struct weir_error *err)
{
    struct lookup *l = wr_alloc_array(1, sizeof(*l));
    if (l == NULL) {
        (void)wr_fail(err, WEIR_E_NOMEM, "look up '%.*s'", WR_FMT(name));
        return NULL;
    }
    atomic_init(&l->holders, 1);
    l->done.fd = -1;
    l->name = wr_strdup(name);
    if (l->name == NULL) {
        (void)wr_fail(err, WEIR_E_NOMEM, "look up '%.*s'", WR_FMT(name));
        let_go(l);
        return NULL;
    }
    if (wr_wake_open(&l->done, err) < 0) {
        let_go(l);
        return NULL;
    }
    return l;
}

static int start(struct lookup *l, struct weir_error *err)
{
    pthread_attr_t attributes;
    pthread_t thread;
    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    (void)pthread_attr_setstacksize(&attributes, STACK_BYTES);
    atomic_fetch_add(&l->holders, 1);
    int rc = pthread_create(&thread, &attributes, run, l);
    (void)pthread_attr_destroy(&attributes);
    if (rc != 0) {
        atomic_fetch_sub(&l->holders, 1);
        errno = rc;
        return wr_fail_errno(err, WEIR_E_NOMEM, "look up '%s'", l->name);
    }
    return 0;
}

static int wait_done(const struct lookup *l, const struct wr_pg_resolve_options *o,
                     struct weir_error *err)
{
    const int fds[] = {o->wake_fd, l->done.fd};
    int64_t left = o->deadline_ms - wr_mono_ms(o->clock);
    int index = wr_wait_any(fds, 2, left > 0 ? (int)left : 0);
    if (index == 0) {
        return wr_fail(err, WEIR_E_STOPPED, "told to stop");
    }
    if (index < 0) {
        return wr_fail(err, WEIR_E_CONNECT, "look up host '%s': no answer in time", l->name);
    }
    if (l->result != 0) {
        return wr_fail(err, WEIR_E_CONNECT, "look up host '%s': %s", l->name,
                       gai_strerror(l->result));
    }
    return 0;
}

/* The address as text; false for a family that has none. */
static bool address_text(const struct addrinfo *a, char out[ADDRESS_MAX])
{
    char number[ADDRESS_MAX];
    if (getnameinfo(a->ai_addr, a->ai_addrlen, number, sizeof(number), NULL, 0, NI_NUMERICHOST) !=
        0) {
        return false;
    }
    memcpy(out, number, sizeof(number));
    return true;
}

static void put_pair(struct wr_writer *hosts, struct wr_writer *addresses, struct wr_str host,
                     struct wr_str address)
{
    struct wr_str comma = hosts->len == 0 ? WR_STR("") : WR_STR(",");
    wr_put_str(hosts, comma);
    wr_put_str(hosts, host);
    wr_put_str(addresses, comma);
    wr_put_str(addresses, address);
}

static int resolve_one(const struct wr_pg_resolve_options *o, struct wr_str name,
                       struct wr_writer *hosts, struct wr_writer *addresses, struct weir_error *err)
{
    struct lookup *l = lookup_new(name, err);
    if (l == NULL) {
        return err->code;
    }
    int rc = start(l, err);
    if (rc == 0) {
        rc = wait_done(l, o, err);
    }
    for (const struct addrinfo *a = rc == 0 ? l->found : NULL; a != NULL; a = a->ai_next) {
        char text[ADDRESS_MAX];
        if (address_text(a, text)) {
            put_pair(hosts, addresses, name, wr_str_of(text));
        }
    }
    let_go(l);
    return rc;
}

/* A folder, or an address: nothing to look up. */
static bool is_plain(struct wr_str host)
{
    char text[ADDRESS_MAX] = {0};
    uint8_t address[sizeof(struct in6_addr)];
    if (host.len == 0 || host.ptr[0] == '/' || host.ptr[0] == '@') {
        return true;
    }
    if (host.len >= sizeof(text)) {
        return false;
    }
    memcpy(text, host.ptr, host.len);
    return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

static int resolve_all(const struct wr_pg_resolve_options *o, struct wr_writer *hosts,
                       struct wr_writer *addresses, struct weir_error *err)
{
    const char *at = o->hosts;
    int rc = 0;
    while (rc == 0 && at != NULL) {
        struct wr_str host = {at, strcspn(at, ",")};
        if (is_plain(host)) {
            put_pair(hosts, addresses, host, WR_STR(""));
        } else {
            rc = resolve_one(o, host, hosts, addresses, err);
        }
        at = at[host.len] == ',' ? at + host.len + 1 : NULL;
    }
    return rc;
}

/* Are all of its items empty? */
static bool has_none(struct wr_str addresses)
{
    for (size_t i = 0; i < addresses.len; i++) {
        if (addresses.ptr[i] != ',') {
            return false;
        }
    }
    return true;
}

static int keep(const struct wr_writer *hosts, const struct wr_writer *addresses,
                struct wr_pg_hosts *out, struct weir_error *err)
{
    struct wr_pg_hosts kept = {.hosts = wr_strdup(wr_writer_str(hosts))};
    bool is_plain_all = has_none(wr_writer_str(addresses));
    kept.addresses = is_plain_all ? NULL : wr_strdup(wr_writer_str(addresses));
    if (kept.hosts == NULL || (!is_plain_all && kept.addresses == NULL)) {
        wr_pg_hosts_fini(&kept);
        return wr_fail(err, WEIR_E_NOMEM, "the server's addresses");
    }
    *out = kept;
    return 0;
}

int wr_pg_resolve(const struct wr_pg_resolve_options *options, struct wr_pg_hosts *out,
                  struct weir_error *err)
{
    struct wr_writer hosts = wr_writer_growing(TEXT_BYTES_MAX);
    struct wr_writer addresses = wr_writer_growing(TEXT_BYTES_MAX);
    int rc = resolve_all(options, &hosts, &addresses, err);
    if (rc == 0) {
        rc = wr_writer_end(&hosts, err);
    }
    if (rc == 0) {
        rc = wr_writer_end(&addresses, err);
    }
    if (rc == 0) {
        rc = keep(&hosts, &addresses, out, err);
    }
    wr_writer_fini(&hosts);
    wr_writer_fini(&addresses);
    return rc;
}

void wr_pg_hosts_fini(struct wr_pg_hosts *hosts)
{
    wr_free(hosts->hosts);
    wr_free(hosts->addresses);
    *hosts = (struct wr_pg_hosts){0};
}
