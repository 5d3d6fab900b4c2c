/*
 * The API over its Unix socket, server and client in one process: paths of any length, bodies, streams,
 * errors before and after the answer began, and a stop while somebody follows.
 */
#include "api_fixture.h"

#include "serve/http/client.h"
#include "serve/http/server.h"
#include "serve/http/socket.h"

#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

static struct fixture f;
static char dir[400];
static struct wr_http_server *server;
static struct wr_http_client *client;

static void make_dir(size_t name_len)
{
    char name[256];
    memset(name, 'd', name_len);
    name[name_len] = 0;
    (void)snprintf(dir, sizeof(dir), "/tmp/weir-test-XXXXXX");
    assert_non_null(mkdtemp(dir));
    size_t used = strlen(dir);
    (void)snprintf(dir + used, sizeof(dir) - used, "/%s", name);
    assert_int_equal(mkdir(dir, 0700), 0);
}

static void open_all(size_t name_len)
{
    make_dir(name_len);
    fixture_open(&f);
    assert_int_equal(wr_http_server_open(&f.api, dir, &server, &f.err), 0);
    assert_int_equal(wr_http_client_open(dir, -1, &client, &f.err), 0);
}

static int set_up(void **state)
{
    (void)state;
    open_all(4);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    wr_wake_signal(&f.stop);
    wr_http_client_close(client);
    wr_http_server_close(server);
    fixture_close(&f);
    assert_int_equal(rmdir(dir), 0); /* no socket is left */
    *strrchr(dir, '/') = 0;
    assert_int_equal(rmdir(dir), 0);
    return 0;
}

static int take_answer(void *arg, struct wr_bytes piece, struct weir_error *err)
{
    size_t *len = arg;
    (void)err;
    assert_true(*len + piece.len < ANSWER_MAX);
    memcpy(f.answer + *len, piece.ptr, piece.len);
    *len += piece.len;
    return 0;
}

static int over_socket(const char *method, const char *path, const struct wr_api_param *params,
                       struct wr_bytes body)
{
    char room[512];
    const char *segments[PATH_MAX_SEGMENTS + 1];
    size_t len = 0;
    cut_path(path, room, sizeof(room), segments);
    struct wr_api_target target = {.method = method, .path = segments, .params = params};
    while (params != NULL && params[target.param_count].name != NULL) {
        target.param_count++;
    }
    const struct wr_http_call request = {
        .target = &target, .body = body, .take = take_answer, .arg = &len};
    int rc = wr_http_client_call(client, &request, &f.err);
    f.answer[len] = 0;
    return rc;
}

static const struct wr_bytes no_body = {NULL, 0};

static struct wr_bytes text(const char *body)
{
    return wr_bytes_of_str(wr_str_of(body));
}

static void the_socket_is_its_owners_alone(void **state)
{
    (void)state;
    char path[500];
    struct stat st;
    (void)snprintf(path, sizeof(path), "%s/weir.sock", dir);
    assert_int_equal(stat(path, &st), 0);
    assert_true(S_ISSOCK(st.st_mode));
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void a_call_is_answered(void **state)
{
    (void)state;
    assert_int_equal(over_socket("GET", "api/status", NULL, no_body), 0);
    assert_non_null(strstr(f.answer, "\"engine\": \"memory\""));
    assert_int_equal(over_socket("POST", "api/topics", NULL, text("{\"name\": \"orders\"}")), 0);
    assert_int_equal(over_socket("GET", "api/topics", NULL, no_body), 0);
    assert_non_null(strstr(f.answer, "\"name\": \"orders\""));
}

static void an_error_arrives_with_code_and_text(void **state)
{
    (void)state;
    assert_int_equal(over_socket("GET", "api/topics/none", NULL, no_body), WEIR_E_NOTFOUND);
    assert_non_null(strstr(f.err.text, "'none'"));
    assert_int_equal(over_socket("GET", "api/nothing", NULL, no_body), WEIR_E_NOTFOUND);
    assert_int_equal(over_socket("PUT", "api/status", NULL, text("x")), WEIR_E_UNSUPPORTED);
    /* Beyond what HTTP's own parsing would cut: the whole body is read, then the error is sent. */
    char *large = wr_alloc_array(4000001, 1);
    memset(large, 'x', 4000000);
    assert_int_equal(over_socket("POST", "api/topics/a b/records", NULL, text(large)),
                     WEIR_E_INPUT);
    wr_free(large);
}

static void any_bytes_fit_into_path_and_parameters(void **state)
{
    (void)state;
    assert_int_equal(over_socket("GET", "api/topics/a%2f?b&c=d#e+", NULL, no_body),
                     WEIR_E_NOTFOUND);
    assert_non_null(strstr(f.err.text, "'a%2f?b&c=d#e+'"));
    const struct wr_api_param params[] = {
        {"key", "a+b c%20&=?#/\xc3\xa9"}, {"header", "x=1&y=2"}, {NULL, NULL}};
    assert_int_equal(over_socket("POST", "api/topics/t/records", params, text("v")), 0);
    assert_int_equal(over_socket("GET", "api/topics/t/records", NULL, no_body), 0);
    assert_non_null(strstr(f.answer,
                           "\"key\":\"a+b c%20&=?#/\xc3\xa9\",\"value\":\"v\",\"headers\":"
                           "[[\"x\",\"1&y=2\"]]"));
}

static void a_large_body_and_a_large_answer_pass(void **state)
{
    (void)state;
    char *body = wr_alloc_array(600001, 1);
    for (size_t i = 0; i < 600000; i++) {
        body[i] = (char)(i % 60 == 59 ? '\n' : 'a' + (int)(i / 60 % 26));
    }
    assert_int_equal(over_socket("POST", "api/topics/t/records", NULL, text(body)), 0);
    assert_string_equal(f.answer, "{\"topic\": \"t\", \"records\": 10000}\n");
    assert_int_equal(over_socket("GET", "api/topics/t/records", PARAMS({"from", "5000"}), no_body),
                     0);
    size_t lines = 0;
    for (const char *at = f.answer; (at = strchr(at, '\n')) != NULL; at++) {
        lines++;
    }
    assert_int_equal(lines, 5000);
    wr_free(body);
}

static void a_failure_after_the_answer_began_arrives_too(void **state)
{
    (void)state;
    assert_int_equal(over_socket("POST", "api/topics/t/records", NULL, text("a\nb\n")), 0);
    wr_memory_log_fail_call(f.api.log, WR_MEMORY_READER_POLL, 1, WEIR_E_DAMAGED);
    assert_int_equal(over_socket("GET", "api/topics/t/records", NULL, no_body), WEIR_E_DAMAGED);
}

static void *stop_soon(void *arg)
{
    (void)arg;
    struct weir_error err;
    static const char *const path[] = {"api", "topics", "t", "records", NULL};
    const struct wr_api_target target = {.method = "POST", .path = path};
    struct wr_http_client *other = NULL;
    size_t len = ANSWER_MAX / 2; /* its answer goes beside the other's */
    const struct wr_http_call request = {&target, text("new\n"), take_answer, &len};
    assert_int_equal(wr_http_client_open(dir, -1, &other, &err), 0);
    assert_int_equal(wr_http_client_call(other, &request, &err), 0);
    wr_http_client_close(other);
    wr_wake_signal(&f.stop);
    return NULL;
}

static void a_follower_hears_of_the_stop(void **state)
{
    (void)state;
    pthread_t thread;
    assert_int_equal(over_socket("POST", "api/topics/t/records", NULL, text("old\n")), 0);
    assert_int_equal(pthread_create(&thread, NULL, stop_soon, NULL), 0);
    assert_int_equal(over_socket("GET", "api/topics/t/records",
                                 PARAMS({"follow", ""}, {"from", "earliest"}), no_body),
                     WEIR_E_CONNECT);
    assert_string_equal(f.err.text, "weir was stopped");
    assert_non_null(strstr(f.answer, "\"value\":\"old\""));
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void a_call_ends_when_its_caller_is_told_to_stop(void **state)
{
    (void)state;
    struct wr_wake stop = {-1};
    assert_int_equal(wr_wake_open(&stop, &f.err), 0);
    wr_http_client_close(client);
    assert_int_equal(wr_http_client_open(dir, stop.fd, &client, &f.err), 0);
    assert_int_equal(over_socket("POST", "api/topics/t/records", NULL, text("old\n")), 0);
    wr_wake_signal(&stop);
    assert_int_equal(over_socket("GET", "api/topics/t/records", PARAMS({"follow", ""}), no_body),
                     WEIR_E_STOPPED);
    wr_wake_close(&stop);
}

static void a_long_path_is_reached(void **state)
{
    (void)state;
    tear_down(state);
    open_all(200);
    assert_int_equal(over_socket("GET", "api/status", NULL, no_body), 0);
    assert_non_null(strstr(f.answer, "\"name\": \"weir\""));
}

static void where_nobody_listens_is_no_server(void **state)
{
    (void)state;
    struct wr_http_client *none = NULL;
    struct weir_error err;
    make_dir(4);
    assert_int_equal(wr_http_client_open(dir, -1, &none, &err), WEIR_E_CONNECT);
    char path[500];
    (void)snprintf(path, sizeof(path), "%s/weir.sock", dir);
    struct wr_socket_dir way = {.fd = -1};
    assert_int_equal(wr_socket_dir_open(dir, &way, &err), 0);
    int fd = wr_socket_listen(&way, &err);
    assert_true(fd >= 0);
    assert_true(wr_socket_answers(&way));
    (void)close(fd); /* as after kill -9: the name is left */
    assert_false(wr_socket_answers(&way));
    assert_int_equal(wr_http_client_open(dir, -1, &none, &err), WEIR_E_CONNECT);
    fd = wr_socket_listen(&way, &err); /* the next one takes its place */
    assert_true(fd >= 0);
    assert_true(wr_socket_answers(&way));
    (void)close(fd);
    wr_socket_remove(&way);
    wr_socket_dir_close(&way);
    assert_int_equal(rmdir(dir), 0);
    *strrchr(dir, '/') = 0;
    assert_int_equal(rmdir(dir), 0);
}

#define SERVED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVED(the_socket_is_its_owners_alone),
        SERVED(a_call_is_answered),
        SERVED(an_error_arrives_with_code_and_text),
        SERVED(any_bytes_fit_into_path_and_parameters),
        SERVED(a_large_body_and_a_large_answer_pass),
        SERVED(a_failure_after_the_answer_began_arrives_too),
        SERVED(a_follower_hears_of_the_stop),
        SERVED(a_call_ends_when_its_caller_is_told_to_stop),
        SERVED(a_long_path_is_reached),
        cmocka_unit_test(where_nobody_listens_is_no_server),
    };
    return cmocka_run_group_tests_name("server", tests, NULL, NULL);
}
