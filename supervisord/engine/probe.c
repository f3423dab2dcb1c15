/* SPDX-License-Identifier: ISC */
/*
 * probe.c: see probe.h.
 *
 * What is known at once is answered by the timer, in the next round: the caller of probe_begin() is
 * in the middle of something, and an answer may well change the program's state.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/ownlog.h"
#include "lib/units.h"
#include "supervisord/engine/checktarget.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/expand.h"
#include "supervisord/engine/instname.h"
#include "supervisord/engine/launch.h"
#include "supervisord/engine/probe.h"
#include "supervisord/engine/probecheck.h"
#include "supervisord/engine/reason.h"

enum phase { PHASE_ANSWER, PHASE_CONNECT, PHASE_REPLY, PHASE_TASK, PHASE_FILE };

static void begin_connection(struct probe *probe);
static bool try_other_localhost(struct probe *probe);
static int connect_to(struct probe *probe, const struct sockaddr_storage *address, unsigned length);
static FILELOOK_ACT(connect_unix);
static void begin_command(struct probe *probe);
static void look_at_file(struct probe *probe, FILELOOK_ACT((*act)));
static void note_file(struct probe *probe);
static const char *file_verb(const struct probe *probe);
static void on_io(struct ev_loop *loop, ev_io *io, int events);
static void note_connected(struct probe *probe);
static bool is_connected_to_itself(int fd);
static int send_request(struct probe *probe);
static void read_reply(struct probe *probe);
static void on_timer(struct timer *timer);
static void watch(struct probe *probe, int events);
static void close_connection(struct probe *probe);
static void arm(struct probe *probe, int64_t after_ns);
static void note(struct probe *probe, enum probe_result result, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void note_error(struct probe *probe, const char *what, int error);
static bool is_our_trouble(int error);
static void answer_later(struct probe *probe);
static void answer(struct probe *probe);

void probe_init(struct probe *probe, struct program *program, enum task_kind task_kind,
    void (*done)(struct probe *probe, enum probe_result result, const char *problem))
{
	*probe = (struct probe){
	    .program = program,
	    .done = done,
	    .task_kind = task_kind,
	    .timer = {.fire = on_timer},
	    .fd = -1,
	};
	ev_init(&probe->io, on_io);
	probe->io.data = probe;
}

void probe_done(struct probe *probe)
{
	probe_cancel(probe);
	probecheck_done(&probe->check);
}

int probe_set_check(struct probe *probe, const struct check *check)
{
	struct check copy;
	int error;

	if (probecheck_is_same(&probe->check, check))
		return 0;
	error = probecheck_copy(check, &copy);
	if (error < 0)
		return error;
	probe_cancel(probe);
	probecheck_done(&probe->check);
	probe->check = copy;
	return 1;
}

void probe_begin(struct probe *probe, int64_t timeout_ns)
{
	probe_cancel(probe);
	probe->active = true;
	probe->second_try = false;
	probe->timeout_ns = timeout_ns;
	switch (probe->check.kind) {
	case CHECK_TCP:
	case CHECK_HTTP:
		begin_connection(probe);
		break;
	case CHECK_UNIX:
		look_at_file(probe, connect_unix);
		break;
	case CHECK_EXEC:
		begin_command(probe);
		break;
	case CHECK_FILE:
		look_at_file(probe, filelook_stat);
		break;
	case CHECK_NONE:
	case CHECK_NOTIFY:
	case CHECK_IPC:
	case CHECK_LISTENING:
	case CHECK_FD:
	case CHECK_LOG:
		note(probe, PROBE_UNABLE, "this cannot be looked at");
		answer_later(probe);
		break;
	}
}

void probe_cancel(struct probe *probe)
{
	struct task *task;

	if (!probe->active)
		return;
	probe->active = false;
	timers_cancel(&probe->program->engine->timers, &probe->timer);
	close_connection(probe);
	if (probe->phase != PHASE_TASK)
		return;
	task = task_find(probe->program, probe->task_kind);
	if (task != NULL)
		task_cancel(task);
}

void probe_note_task(struct probe *probe, const struct task_end *end)
{
	char text[PROBE_TEXT / 2];

	if (!probe->active || probe->phase != PHASE_TASK || end->kind != probe->task_kind)
		return;
	if (end->ok)
		note(probe, PROBE_GOOD, "%s", "");
	else if (!end->launched)
		note(probe, is_our_trouble(end->error) ? PROBE_UNABLE : PROBE_BAD, "%s %s: %s",
		    launch_step_name((enum launch_step)end->step), probe->check.words[0],
		    strerror(end->error));
	else if (end->timed_out)
		note(probe, PROBE_BAD, "%s did not end within %s", probe->check.words[0],
		    units_format_duration(probe->timeout_ns, text, sizeof(text)));
	else
		note(probe, PROBE_BAD, "%s %s", probe->check.words[0],
		    reason_exit_text(end->wstatus, text, sizeof(text)));
	answer(probe);
}

int probe_expand_path(struct program *program, const char *path, char **ret_path)
{
	const struct program_config *config = program->config;
	struct instname parts;
	struct expand_words words = {
	    .name = program_name(program),
	    .program = parts.program,
	    .instance = parts.number,
	    .run_dir = program->engine->config->settings.key_run_dir,
	};
	const struct ids *ids;
	int error = idcache_get(&program->engine->ids, config->key_user, config->key_group, &ids);

	if (error < 0)
		return error;
	instname_split(program_name(program), &parts);
	words.user = ids->user;
	words.home = ids->home;
	return expand_string(path, &words, ret_path);
}

static void begin_connection(struct probe *probe)
{
	const char *target = probe->check.target, *path;
	struct sockaddr_storage address;
	unsigned length = 0;
	int error;

	if (probe->check.kind == CHECK_TCP)
		error = checktarget_parse_tcp(target, &address, &length);
	else
		error = checktarget_parse_http(target, &address, &length, &path);
	if (error == 0)
		error = connect_to(probe, &address, length);
	if (error == 0)
		return;
	if (try_other_localhost(probe))
		return;
	note_error(probe, "connect", error);
	answer_later(probe);
}

/* "localhost" is 127.0.0.1 (checktarget.h), but some servers listen on ::1 alone. */
static bool try_other_localhost(struct probe *probe)
{
	struct sockaddr_storage address;
	struct sockaddr_in6 other = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	const char *host = probe->check.target, *path;
	unsigned length = 0;
	int error;

	if (probe->check.kind == CHECK_HTTP)
		host += strlen("http://");
	if (probe->second_try || strncmp(host, "localhost", strlen("localhost")) != 0)
		return false;
	probe->second_try = true;
	if (probe->check.kind == CHECK_TCP)
		error = checktarget_parse_tcp(probe->check.target, &address, &length);
	else
		error = checktarget_parse_http(probe->check.target, &address, &length, &path);
	if (error < 0 || address.ss_family != AF_INET)
		return false;
	other.sin6_port = ((const struct sockaddr_in *)(const void *)&address)->sin_port;
	memset(&address, 0, sizeof(address));
	memcpy(&address, &other, sizeof(other));
	return connect_to(probe, &address, sizeof(other)) == 0;
}

/* Begin a connection; the loop goes on with it.  0 or -errno. */
static int connect_to(struct probe *probe, const struct sockaddr_storage *address, unsigned length)
{
	int fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int error;

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)address, length) < 0 && errno != EINPROGRESS) {
		error = -errno;
		close(fd);
		return error;
	}
	probe->fd = fd;
	probe->phase = PHASE_CONNECT;
	watch(probe, EV_WRITE);
	if (!probe->second_try)
		arm(probe, probe->timeout_ns);
	return 0;
}

/* A connection to a local socket is there at once, or not at all: 0 or -errno.  The type of the
 * socket is the program's choice. */
static FILELOOK_ACT(connect_unix)
{
	static const int types[] = {SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length = strlen(path);
	int error = 0;

	(void)option;
	(void)ret_answer;
	if (length >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, length);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		int fd = socket(AF_UNIX, types[i] | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

		if (fd < 0)
			return -errno;
		error = connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ? -errno
											    : 0;
		close(fd);
		if (error != -EPROTOTYPE)
			break;
	}
	return error;
}

static void begin_command(struct probe *probe)
{
	probe->phase = PHASE_TASK;
	task_start(probe->program, probe->task_kind, probe->check.words, NULL, probe->timeout_ns);
}

static void look_at_file(struct probe *probe, FILELOOK_ACT((*act)))
{
	struct engine *engine = probe->program->engine;
	char *path;
	int error = probe_expand_path(probe->program, probe->check.target, &path);

	if (error < 0) {
		note_error(probe, "path", error);
		answer_later(probe);
		return;
	}
	error = filelook_begin(&engine->filelooks, path, act, 0, &probe->look);
	free(path);
	if (error < 0) {
		note_error(probe, file_verb(probe), error);
		answer_later(probe);
		return;
	}
	probe->phase = PHASE_FILE;
	ev_io_set(&probe->io, filelook_fd(probe->look), EV_READ);
	ev_io_start(engine->loop, &probe->io);
	arm(probe, probe->timeout_ns);
}

static void note_file(struct probe *probe)
{
	const struct program *program = probe->program;
	struct filelook_answer look;
	int error = filelook_get(probe->look, &look);

	if (error == -EAGAIN)
		note(probe, PROBE_BAD, "connect: too many connections wait to be accepted");
	else if (error < 0)
		note_error(probe, file_verb(probe), error);
	else if (probe->check.kind == CHECK_FILE && probe->task_kind == TASK_READY &&
		 look.mark ==
		     atomic_load(&program->engine->ledger->table[program->run.row].ready_mark))
		note(probe, PROBE_BAD, "the file is from before the start");
	else
		note(probe, PROBE_GOOD, "%s", "");
	answer(probe);
}

static const char *file_verb(const struct probe *probe)
{
	return probe->check.kind == CHECK_UNIX ? "connect" : "stat";
}

static void on_io(struct ev_loop *loop, ev_io *io, int events)
{
	struct probe *probe = io->data;

	(void)loop;
	(void)events;
	if (probe->phase == PHASE_CONNECT)
		note_connected(probe);
	else if (probe->phase == PHASE_FILE)
		note_file(probe);
	else
		read_reply(probe);
}

static void note_connected(struct probe *probe)
{
	int error = 0;
	socklen_t length = sizeof(error);

	if (getsockopt(probe->fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
		error = errno;
	if (error == 0 && is_connected_to_itself(probe->fd))
		error = ECONNREFUSED;
	if (error == 0 && probe->check.kind == CHECK_HTTP) {
		error = -send_request(probe);
		if (error == 0)
			return;
	}
	close_connection(probe);
	if (error != 0 && try_other_localhost(probe))
		return;
	note_error(probe, "connect", -error);
	answer(probe);
}

/*
 * With nobody listening on a port of the range that the kernel takes local ports from, it may pick
 * that very port for us, and TCP then connects us to ourselves.  The port must not stay taken:
 * reset the connection.
 */
static bool is_connected_to_itself(int fd)
{
	const struct linger reset = {.l_onoff = 1};
	struct sockaddr_storage own, peer;
	socklen_t own_length = sizeof(own), peer_length = sizeof(peer);

	memset(&own, 0, sizeof(own));
	memset(&peer, 0, sizeof(peer));
	if (getsockname(fd, (struct sockaddr *)&own, &own_length) < 0 ||
	    getpeername(fd, (struct sockaddr *)&peer, &peer_length) < 0 ||
	    own_length != peer_length || memcmp(&own, &peer, own_length) != 0)
		return false;
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	return true;
}

/* 0 or -errno.  A new connection has room for a request. */
static int send_request(struct probe *probe)
{
	char request[PROBEHTTP_REQUEST];
	const char *url = probe->check.target;
	size_t length = 0;
	ssize_t sent;
	int error = probehttp_write_request(
	    url, strchr(url + strlen("http://"), '/'), request, sizeof(request), &length);

	if (error < 0)
		return error;
	sent = send(probe->fd, request, length, MSG_NOSIGNAL);
	if (sent < 0)
		return -errno;
	if ((size_t)sent < length)
		return -ENOBUFS;
	probe->http = (struct probehttp){.taken = 0};
	probe->phase = PHASE_REPLY;
	watch(probe, EV_READ);
	return 0;
}

static void read_reply(struct probe *probe)
{
	char bytes[LIMIT_CHECK_REPLY];
	ssize_t got = recv(probe->fd, bytes, sizeof(bytes), 0);
	int status;

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		if (got < 0)
			note_error(probe, "read", -errno);
		else
			note(probe, PROBE_BAD, "the connection was closed without an answer");
		answer(probe);
		return;
	}
	status = probehttp_read(&probe->http, bytes, (size_t)got);
	if (status == 0)
		return;
	if (status < 0)
		note(probe, PROBE_BAD, "the answer is not HTTP");
	else if (status >= 400)
		note(probe, PROBE_BAD, "HTTP status %d", status);
	else
		note(probe, PROBE_GOOD, "%s", "");
	answer(probe);
}

static void on_timer(struct timer *timer)
{
	struct probe *probe =
	    (struct probe *)(void *)((char *)timer - offsetof(struct probe, timer));
	char text[32];

	if (probe->phase != PHASE_ANSWER)
		note(probe, PROBE_BAD, "%s: nothing within %s",
		    probe->phase == PHASE_CONNECT ? "connect"
		    : probe->phase == PHASE_FILE  ? file_verb(probe)
						  : "answer",
		    units_format_duration(probe->timeout_ns, text, sizeof(text)));
	answer(probe);
}

static void watch(struct probe *probe, int events)
{
	struct ev_loop *loop = probe->program->engine->loop;

	ev_io_stop(loop, &probe->io);
	ev_io_set(&probe->io, probe->fd, events);
	ev_io_start(loop, &probe->io);
}

/* Nor is a file looked at any more. */
static void close_connection(struct probe *probe)
{
	if (probe->fd < 0 && probe->look == NULL)
		return;
	ev_io_stop(probe->program->engine->loop, &probe->io);
	if (probe->look != NULL)
		filelook_end(probe->look);
	probe->look = NULL;
	if (probe->fd >= 0)
		close(probe->fd);
	probe->fd = -1;
}

static void arm(struct probe *probe, int64_t after_ns)
{
	if (timers_arm(&probe->program->engine->timers, &probe->timer, clock_boot_ns() + after_ns) <
	    0)
		log_error("%s: out of memory for a timer", program_name(probe->program));
}

/* What the answer will be; a long one is cut visibly. */
static void note(struct probe *probe, enum probe_result result, const char *format, ...)
{
	static const char cut[] = "...";
	va_list arguments;
	int length;

	probe->result = result;
	va_start(arguments, format);
	length = vsnprintf(probe->problem, sizeof(probe->problem), format, arguments);
	va_end(arguments);
	if (length < 0 || (size_t)length >= sizeof(probe->problem))
		memcpy(probe->problem + sizeof(probe->problem) - sizeof(cut), cut, sizeof(cut));
}

/* `error`: 0 or -errno. */
static void note_error(struct probe *probe, const char *what, int error)
{
	if (error == 0)
		note(probe, PROBE_GOOD, "%s", "");
	else
		note(probe, is_our_trouble(-error) ? PROBE_UNABLE : PROBE_BAD, "%s: %s", what,
		    strerror(-error));
}

/* What we lack, not the program. */
static bool is_our_trouble(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS ||
	       error == ENOSPC || error == EADDRNOTAVAIL || error == EAGAIN;
}

static void answer_later(struct probe *probe)
{
	probe->phase = PHASE_ANSWER;
	arm(probe, 0);
}

/* Nothing may follow: the probe may be gone. */
static void answer(struct probe *probe)
{
	char problem[PROBE_TEXT];

	memcpy(problem, probe->problem, sizeof(problem));
	probe->active = false;
	timers_cancel(&probe->program->engine->timers, &probe->timer);
	close_connection(probe);
	probe->done(probe, probe->result, problem);
}
