/* SPDX-License-Identifier: ISC */
/* probe_test.c: each kind of look, against real sockets on the loopback, and what it says. */
#define _GNU_SOURCE
#include "tests/unit/engine/probeworld.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "supervisord/engine/probe.h"

#define TIMEOUT_NS (5 * NS_PER_S)

static struct probe probe;
static struct check check;
static char target[256];
static int answers;
static enum probe_result result;
static char problem[PROBE_TEXT];

static void on_done(struct probe *done, enum probe_result with, const char *text)
{
	assert_ptr_equal(done, &probe);
	assert_false(done->active);
	answers++;
	result = with;
	snprintf(problem, sizeof(problem), "%s", text);
}

static bool is_answered(void)
{
	return answers > 0;
}

static int set_up(void **context)
{
	int error = world_setup(context);

	probe_init(&probe, world.program, TASK_READY, on_done);
	check = (struct check){.target = target};
	return error;
}

static int tear_down(void **context)
{
	probe_done(&probe);
	return world_teardown(context);
}

/* One look, for which probe_begin() itself says nothing. */
static void begin(int64_t timeout_ns)
{
	answers = 0;
	result = PROBE_UNABLE;
	assert_true(probe_set_check(&probe, &check) >= 0);
	probe_begin(&probe, timeout_ns);
	assert_int_equal(answers, 0);
	assert_true(probe.active);
}

static void look(void)
{
	begin(TIMEOUT_NS);
	world_wait(is_answered);
	assert_int_equal(answers, 1);
}

static void assert_good(void)
{
	assert_string_equal(problem, "");
	assert_int_equal(result, PROBE_GOOD);
}

static void assert_bad(const char *text)
{
	assert_string_equal(problem, text);
	assert_int_equal(result, PROBE_BAD);
}

/* A socket bound to a free port; it listens when `backlog` is not negative. */
static int bind_tcp(int family, int backlog, int *ret_port)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct sockaddr *address = family == AF_INET ? (void *)&v4 : (void *)&v6;
	socklen_t length = family == AF_INET ? sizeof(v4) : sizeof(v6);
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (bind(fd, address, length) < 0) { /* no IPv6 on this machine */
		close(fd);
		return -1;
	}
	assert_int_equal(getsockname(fd, address, &length), 0);
	*ret_port = ntohs(family == AF_INET ? v4.sin_port : v6.sin6_port);
	if (backlog >= 0)
		assert_int_equal(listen(fd, backlog), 0);
	return fd;
}

static void set_tcp(const char *host, int port)
{
	check.kind = CHECK_TCP;
	snprintf(target, sizeof(target), "%s:%d", host, port);
}

static void test_tcp_when_somebody_listens_then_good(void **context)
{
	int port, fd = bind_tcp(AF_INET, 5, &port);

	(void)context;
	set_tcp("127.0.0.1", port);
	look();
	assert_good();
	look();
	assert_good();
	close(fd);
}

static void test_tcp_when_nobody_listens_then_refused(void **context)
{
	int port, fd = bind_tcp(AF_INET, -1, &port);

	(void)context;
	set_tcp("127.0.0.1", port);
	look();
	assert_bad("connect: Connection refused");
	close(fd);
}

static void test_tcp_when_nobody_listens_then_never_connected_to_itself(void **context)
{
	(void)context;
	/* Of a port that nobody has bound, the kernel may make the local one, too. */
	for (int i = 0; i < 300; i++) {
		int port, fd = bind_tcp(AF_INET, -1, &port);

		close(fd);
		set_tcp("127.0.0.1", port);
		look();
		assert_bad("connect: Connection refused");
	}
}

static void test_tcp_when_localhost_then_either_address_will_do(void **context)
{
	int port, fd = bind_tcp(AF_INET, 5, &port);

	(void)context;
	set_tcp("localhost", port);
	look();
	assert_good();
	close(fd);
	fd = bind_tcp(AF_INET6, 5, &port);
	if (fd < 0)
		skip();
	set_tcp("localhost", port);
	look();
	assert_good();
	set_tcp("127.0.0.1", port);
	look();
	assert_bad("connect: Connection refused");
	set_tcp("[::1]", port);
	look();
	assert_good();
	close(fd);
	set_tcp("localhost", port);
	look();
	assert_bad("connect: Connection refused");
}

/* A socket whose queue of connections is full drops what comes. */
static int fill_backlog(int *ret_port, int clients[8])
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = bind_tcp(AF_INET, 0, ret_port);

	address.sin_port = htons((uint16_t)*ret_port);
	for (int i = 0; i < 8; i++) {
		clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		(void)!connect(clients[i], (struct sockaddr *)&address, sizeof(address));
	}
	return fd;
}

static void test_tcp_when_there_is_no_answer_then_bad_after_the_timeout(void **context)
{
	int clients[8], port, fd = fill_backlog(&port, clients);
	int64_t began_ns = clock_boot_ns();

	(void)context;
	set_tcp("127.0.0.1", port);
	begin(100 * NS_PER_MS);
	world_wait(is_answered);
	assert_bad("connect: nothing within 100ms");
	assert_true(clock_boot_ns() - began_ns >= 100 * NS_PER_MS);
	for (int i = 0; i < 8; i++)
		close(clients[i]);
	close(fd);
}

static void test_cancel_then_no_answer_comes(void **context)
{
	int clients[8], port, fd = fill_backlog(&port, clients);

	(void)context;
	set_tcp("127.0.0.1", port);
	begin(50 * NS_PER_MS);
	probe_cancel(&probe);
	assert_false(probe.active);
	assert_int_equal(probe.fd, -1);
	world_pass(150 * NS_PER_MS);
	assert_int_equal(answers, 0);
	for (int i = 0; i < 8; i++)
		close(clients[i]);
	close(fd);
}

static int bind_unix(const char *path, int type, int backlog)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	if (backlog >= 0)
		assert_int_equal(listen(fd, backlog), 0);
	return fd;
}

static void test_unix_when_somebody_listens_then_good(void **context)
{
	int fd;

	(void)context;
	check.kind = CHECK_UNIX;
	snprintf(target, sizeof(target), "%%{run_dir}/s");
	look();
	assert_bad("connect: No such file or directory");
	fd = bind_unix(world_path("s"), SOCK_STREAM, -1);
	look();
	assert_bad("connect: Connection refused");
	assert_int_equal(listen(fd, 5), 0);
	look();
	assert_good();
	close(fd);
	look();
	assert_bad("connect: Connection refused");
}

static void test_unix_when_the_socket_is_of_another_type_then_good_as_well(void **context)
{
	int packets = bind_unix(world_path("packets"), SOCK_SEQPACKET, 5);
	int datagrams = bind_unix(world_path("datagrams"), SOCK_DGRAM, -1);

	(void)context;
	check.kind = CHECK_UNIX;
	snprintf(target, sizeof(target), "%s", world_path("packets"));
	look();
	assert_good();
	snprintf(target, sizeof(target), "%s", world_path("datagrams"));
	look();
	assert_good();
	close(packets);
	close(datagrams);
}

static void test_unix_when_the_backlog_is_full_then_bad_at_once(void **context)
{
	int fd = bind_unix(world_path("s"), SOCK_STREAM, 0);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int clients[4];

	(void)context;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", world_path("s"));
	for (int i = 0; i < 4; i++) {
		clients[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		(void)!connect(clients[i], (struct sockaddr *)&address, sizeof(address));
	}
	check.kind = CHECK_UNIX;
	snprintf(target, sizeof(target), "%s", world_path("s"));
	look();
	assert_bad("connect: too many connections wait to be accepted");
	for (int i = 0; i < 4; i++)
		close(clients[i]);
	close(fd);
}

static void test_unix_when_the_path_is_too_long_then_bad(void **context)
{
	(void)context;
	check.kind = CHECK_UNIX;
	snprintf(target, sizeof(target), "/tmp/%0110d", 0);
	look();
	assert_bad("connect: File name too long");
}

/* ---- http ------------------------------------------------------------------------------------ */

struct server {
	ev_io accept_io;
	ev_io read_io;
	int fd;
	const char *reply;
	size_t piece; /* bytes sent at once, 0: all */
	char request[1024];
	size_t length;
};

static struct server server;

static void on_request(struct ev_loop *loop, ev_io *io, int events)
{
	ssize_t got = read(
	    io->fd, server.request + server.length, sizeof(server.request) - 1 - server.length);

	(void)events;
	assert_true(got >= 0);
	server.length += (size_t)got;
	server.request[server.length] = '\0';
	if (got > 0 && strstr(server.request, "\r\n\r\n") == NULL)
		return;
	for (size_t at = 0; at < strlen(server.reply);) {
		size_t rest = strlen(server.reply) - at;
		ssize_t sent = send(io->fd, server.reply + at,
		    server.piece > 0 && server.piece < rest ? server.piece : rest, MSG_NOSIGNAL);

		if (sent < 0)
			break;
		at += (size_t)sent;
	}
	ev_io_stop(loop, io);
	close(io->fd);
}

static void on_client(struct ev_loop *loop, ev_io *io, int events)
{
	int fd = accept4(io->fd, NULL, NULL, SOCK_CLOEXEC);

	(void)events;
	assert_true(fd >= 0);
	server.length = 0;
	ev_io_init(&server.read_io, on_request, fd, EV_READ);
	ev_io_start(loop, &server.read_io);
}

static void serve(const char *host)
{
	int port;

	server = (struct server){.fd = bind_tcp(AF_INET, 5, &port)};
	ev_io_init(&server.accept_io, on_client, server.fd, EV_READ);
	ev_io_start(world.engine->loop, &server.accept_io);
	check.kind = CHECK_HTTP;
	snprintf(target, sizeof(target), "http://%s:%d/health?deep=1", host, port);
}

static void unserve(void)
{
	ev_io_stop(world.engine->loop, &server.accept_io);
	close(server.fd);
}

static void test_http_asks_as_http_1_1_demands(void **context)
{
	char wanted[256];

	(void)context;
	serve("localhost");
	server.reply = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
	look();
	assert_good();
	snprintf(wanted, sizeof(wanted), "GET /health?deep=1 HTTP/1.1\r\nHost: %.*s\r\n",
	    (int)strcspn(target + 7, "/"), target + 7);
	assert_memory_equal(server.request, wanted, strlen(wanted));
	assert_non_null(strstr(server.request, "\r\nConnection: close\r\n"));
	unserve();
}

static void check_reply(const char *reply, const char *text)
{
	for (size_t piece = 0; piece < 3; piece++) {
		server.reply = reply;
		server.piece = piece;
		look();
		assert_string_equal(problem, text);
		assert_int_equal(result, text[0] == '\0' ? PROBE_GOOD : PROBE_BAD);
	}
}

static void test_http_the_status_decides(void **context)
{
	const char *silent = "the connection was closed without an answer";
	const char *other = "the answer is not HTTP";

	(void)context;
	serve("127.0.0.1");
	check_reply("HTTP/1.1 200 OK\r\n\r\nbody", "");
	check_reply("HTTP/1.0 204 No Content\r\n\r\n", "");
	check_reply("HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", "");
	check_reply("HTTP/1.1 399 \r\n\r\n", "");
	check_reply("HTTP/1.1 200\n\n", "");
	check_reply("HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP status 400");
	check_reply("HTTP/1.1 404 Not Found\r\n\r\n", "HTTP status 404");
	check_reply("HTTP/1.1 503 Service Unavailable\r\n\r\n", "HTTP status 503");
	check_reply("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
		    "HTTP/1.1 503 No\r\n\r\n",
	    "HTTP status 503");
	check_reply("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "");
	check_reply("", silent);
	check_reply("HTTP/1.1 200 OK", silent);
	check_reply("HTTP/1.1 100 Continue\r\n\r\n", silent);
	check_reply("SSH-2.0-OpenSSH\r\n", other);
	check_reply("HTTP/1.1 20 OK\r\n\r\n", other);
	check_reply("HTTP/1.1 2000 OK\r\n\r\n", other);
	check_reply("HTTP/1.1 099 OK\r\n\r\n", other);
	check_reply("HTTP/2 200\r\n\r\n", other);
	check_reply("\r\n", other);
	unserve();
}

static void test_http_when_there_is_no_end_of_line_then_gives_up(void **context)
{
	static char reply[3 * LIMIT_CHECK_REPLY];

	(void)context;
	memset(reply, 'x', sizeof(reply) - 1);
	serve("127.0.0.1");
	server.reply = reply;
	look();
	assert_bad("the answer is not HTTP");
	unserve();
}

static void test_http_when_it_accepts_and_is_silent_then_bad_after_the_timeout(void **context)
{
	int port, fd = bind_tcp(AF_INET, 5, &port);

	(void)context;
	check.kind = CHECK_HTTP;
	snprintf(target, sizeof(target), "http://127.0.0.1:%d/", port);
	begin(50 * NS_PER_MS);
	world_wait(is_answered);
	assert_bad("answer: nothing within 50ms");
	close(fd);
}

/* ---- exec and file --------------------------------------------------------------------------- */

static char word_test[] = "test", word_e[] = "-e", word_path[] = "/x";
static char *words[] = {word_test, word_e, word_path, NULL};

static void end_task(struct task_end end)
{
	world.task_lives = false;
	end.kind = TASK_READY;
	probe_note_task(&probe, &end);
}

static void test_exec_the_status_decides(void **context)
{
	(void)context;
	check = (struct check){.kind = CHECK_EXEC, .words = words};
	begin(TIMEOUT_NS);
	assert_int_equal(world.task_starts, 1);
	assert_int_equal(world.task_kind, TASK_READY);
	assert_true(world.task_timeout_ns == TIMEOUT_NS);
	assert_string_equal(world.task_words[2], "/x");
	end_task((struct task_end){.ok = true, .launched = true});
	assert_good();
	begin(TIMEOUT_NS);
	end_task((struct task_end){.launched = true, .wstatus = 3 << 8});
	assert_bad("test exited with status 3");
	begin(TIMEOUT_NS);
	end_task((struct task_end){.launched = true, .timed_out = true, .wstatus = 9});
	assert_bad("test did not end within 5s");
	begin(TIMEOUT_NS);
	end_task((struct task_end){.step = LAUNCH_EXEC, .error = ENOENT});
	assert_bad("exec test: No such file or directory");
	begin(TIMEOUT_NS);
	end_task((struct task_end){.step = LAUNCH_CLONE, .error = EAGAIN});
	assert_int_equal(result, PROBE_UNABLE);
}

static void test_exec_when_cancelled_then_the_command_is_killed(void **context)
{
	(void)context;
	check = (struct check){.kind = CHECK_EXEC, .words = words};
	begin(TIMEOUT_NS);
	probe_cancel(&probe);
	assert_int_equal(world.task_cancels, 1);
	end_task((struct task_end){.ok = true, .launched = true});
	assert_int_equal(answers, 0);
}

static void set_mark(void)
{
	struct filelook_answer look = {.mark = 0};

	(void)filelook_now(
	    &world.engine->filelooks, world_path("f"), filelook_stat, 0, 10000, &look);
	atomic_store(
	    &world.engine->ledger->table[world.program->run.row].ready_mark, look.mark);
}

static void test_file_when_it_is_from_before_the_start_then_it_does_not_count(void **context)
{
	(void)context;
	check.kind = CHECK_FILE;
	snprintf(target, sizeof(target), "%s", world_path("f"));
	set_mark();
	look();
	assert_bad("stat: No such file or directory");
	world_write(world_path("f"), "w", "1");
	look();
	assert_good();
	set_mark();
	look();
	assert_bad("the file is from before the start");
	world_write(world_path("f"), "w", "12");
	look();
	assert_good();
	set_mark();
	assert_int_equal(unlink(world_path("f")), 0);
	look();
	assert_bad("stat: No such file or directory");
	world_write(world_path("f"), "w", "12");
	look();
	assert_good();
}

static void test_file_when_touched_then_it_counts(void **context)
{
	const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1}};

	(void)context;
	check.kind = CHECK_FILE;
	snprintf(target, sizeof(target), "%s", world_path("f"));
	world_write(world_path("f"), "w", "1");
	set_mark();
	assert_int_equal(utimensat(AT_FDCWD, world_path("f"), times, 0), 0);
	look();
	assert_good();
}

static void test_file_when_it_is_a_health_check_then_being_there_is_enough(void **context)
{
	(void)context;
	probe.task_kind = TASK_HEALTH;
	check.kind = CHECK_FILE;
	snprintf(target, sizeof(target), "%s", world_path("f"));
	world_write(world_path("f"), "w", "1");
	set_mark();
	look();
	assert_good();
}

static void test_set_check_when_it_is_the_same_then_the_look_goes_on(void **context)
{
	struct check other = {.kind = CHECK_EXEC, .words = words};
	char *more[] = {word_test, word_e, word_path, word_path, NULL};

	(void)context;
	check = (struct check){.kind = CHECK_EXEC, .words = words};
	begin(TIMEOUT_NS);
	assert_int_equal(probe_set_check(&probe, &other), 0);
	assert_true(probe.active);
	other.words = more;
	assert_int_equal(probe_set_check(&probe, &other), 1);
	assert_false(probe.active);
	assert_int_equal(world.task_cancels, 1);
	assert_int_equal(probe_set_check(&probe, &check), 1);
	other = (struct check){.kind = CHECK_TCP, .target = target};
	assert_int_equal(probe_set_check(&probe, &other), 1);
	assert_int_equal(probe_set_check(&probe, &other), 0);
	other.kind = CHECK_FILE;
	assert_int_equal(probe_set_check(&probe, &other), 1);
}

static void test_begin_when_the_kind_is_not_looked_at_then_unable(void **context)
{
	static const enum check_kind kinds[] = {CHECK_NONE, CHECK_NOTIFY, CHECK_FD, CHECK_LOG};

	(void)context;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		check.kind = kinds[i];
		look();
		assert_int_equal(result, PROBE_UNABLE);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_tcp_when_somebody_listens_then_good),
	    TEST(test_tcp_when_nobody_listens_then_refused),
	    TEST(test_tcp_when_nobody_listens_then_never_connected_to_itself),
	    TEST(test_tcp_when_localhost_then_either_address_will_do),
	    TEST(test_tcp_when_there_is_no_answer_then_bad_after_the_timeout),
	    TEST(test_cancel_then_no_answer_comes),
	    TEST(test_unix_when_somebody_listens_then_good),
	    TEST(test_unix_when_the_socket_is_of_another_type_then_good_as_well),
	    TEST(test_unix_when_the_backlog_is_full_then_bad_at_once),
	    TEST(test_unix_when_the_path_is_too_long_then_bad),
	    TEST(test_http_asks_as_http_1_1_demands),
	    TEST(test_http_the_status_decides),
	    TEST(test_http_when_there_is_no_end_of_line_then_gives_up),
	    TEST(test_http_when_it_accepts_and_is_silent_then_bad_after_the_timeout),
	    TEST(test_exec_the_status_decides),
	    TEST(test_exec_when_cancelled_then_the_command_is_killed),
	    TEST(test_file_when_it_is_from_before_the_start_then_it_does_not_count),
	    TEST(test_file_when_touched_then_it_counts),
	    TEST(test_file_when_it_is_a_health_check_then_being_there_is_enough),
	    TEST(test_set_check_when_it_is_the_same_then_the_look_goes_on),
	    TEST(test_begin_when_the_kind_is_not_looked_at_then_unable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
