/* SPDX-License-Identifier: ISC */
/* sink.c: see sink.h. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/limits.h"
#include "lib/ownlog.h"
#include "supervisord/logger/sink.h"
#include "supervisord/logger/target.h"

#define CONNECT_NS  (2 * NS_PER_S)
#define PATIENCE_NS (LIMIT_LOG_PATIENCE_S * NS_PER_S)
#define AWAY_MAX_NS (LIMIT_LOG_AWAY_S * NS_PER_S)

static const struct form_of {
	const char *prefix;
	enum sink_kind kind;
} forms[] = {
    {"unix:", SINK_UNIX},
    {"udp:", SINK_UDP},
    {"tcp:", SINK_TCP},
    {"journal:", SINK_JOURNAL},
    {"fd:", SINK_INHERIT},
    {"row:", SINK_PROGRAM},
};

static int connect_sink(struct sinks *sinks, struct sink *sink);
static int connect_unix(struct sink *sink, const char *path);
static int connect_inet(struct sink *sink, const char *host);
static int open_socket(struct sink *sink, int type, const struct sockaddr *address, socklen_t size);
static int open_inherited(struct sink *sink, const char *number);
static int open_input(struct sinks *sinks, struct sink *sink, const char *row);
static int send_whole(struct sinks *sinks, struct sink *sink, const char *bytes, size_t length);
static int send_part(
    struct sinks *sinks, struct sink *sink, struct iovec *parts, int count, size_t *ret_sent);
static ssize_t write_pipe(struct sinks *sinks, struct sink *sink, const char *bytes, size_t length);
static int send_rest(struct sinks *sinks, struct sink *sink);
static int keep_rest(
    struct sinks *sinks, struct sink *sink, const struct iovec *parts, int count, size_t sent);
static void drop_rest(struct sinks *sinks, struct sink *sink);
static int note_full(struct sinks *sinks, struct sink *sink);
static void note_works(struct sink *sink);
static int lose(struct sinks *sinks, struct sink *sink, int error);

int sinks_init(struct sinks *sinks, int epoll_fd, struct rings *rings)
{
	*sinks = (struct sinks){.epoll_fd = epoll_fd, .scratch = {-1, -1}, .rings = rings};
	LIST_INIT(&sinks->list);
	LIST_INIT(&sinks->inputs);
	return pipe2(sinks->scratch, O_CLOEXEC | O_NONBLOCK) < 0 ? -errno : 0;
}

struct sink *sinks_get(struct sinks *sinks, const char *address)
{
	struct sink *sink;

	LIST_FOREACH (sink, &sinks->list, link) {
		if (strcmp(sink->address, address) != 0)
			continue;
		sink->users++;
		return sink;
	}
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (strncmp(address, forms[i].prefix, strlen(forms[i].prefix)) != 0)
			continue;
		sink = calloc(1, sizeof(*sink));
		if (sink == NULL)
			return NULL;
		sink->address = strdup(address);
		if (sink->address == NULL) {
			free(sink);
			return NULL;
		}
		sink->watch = (struct watch){.kind = WATCH_SINK, .fd = -1};
		sink->kind = forms[i].kind;
		sink->users = 1;
		TAILQ_INIT(&sink->waiting);
		LIST_INSERT_HEAD(&sinks->list, sink, link);
		return sink;
	}
	return NULL;
}

void sinks_put(struct sinks *sinks, struct sink *sink)
{
	if (--sink->users == 0)
		sinks->has_unused = true;
}

void sinks_sweep(struct sinks *sinks)
{
	struct sink *sink, *next;

	if (!sinks->has_unused)
		return;
	sinks->has_unused = false;
	LIST_FOREACH_SAFE(sink, &sinks->list, link, next)
	{
		if (sink->users > 0)
			continue;
		drop_rest(sinks, sink);
		watch_close(&sink->watch, sinks->epoll_fd);
		LIST_REMOVE(sink, link);
		free(sink->address);
		free(sink);
	}
}

int sinks_hold_input_consume(struct sinks *sinks, uint32_t slot, uint32_t row, int fd)
{
	struct held_input *input;

	(void)sinks_release_input(sinks, slot);
	input = calloc(1, sizeof(*input));
	if (input == NULL) {
		close(fd);
		return -ENOMEM;
	}
	*input = (struct held_input){.slot = slot, .row = row, .fd = fd};
	LIST_INSERT_HEAD(&sinks->inputs, input, link);
	return 0;
}

bool sinks_release_input(struct sinks *sinks, uint32_t slot)
{
	struct held_input *input;

	LIST_FOREACH (input, &sinks->inputs, link) {
		if (input->slot != slot)
			continue;
		LIST_REMOVE(input, link);
		close(input->fd);
		free(input);
		return true;
	}
	return false;
}

int sinks_send(struct sinks *sinks, struct sink *sink, const char *bytes, size_t length)
{
	int error = 0;

	if (sink->watch.fd < 0) {
		if (clock_boot_ns() < sink->retry_ns)
			return -ENOTCONN;
		error = connect_sink(sinks, sink);
		if (error < 0)
			return lose(sinks, sink, error);
	}
	if (sink->is_connecting)
		return note_full(sinks, sink);
	error = send_rest(sinks, sink);
	if (error == 0)
		error = send_whole(sinks, sink, bytes, length);
	if (error == -EAGAIN || error == -ENOBUFS)
		return note_full(sinks, sink);
	/* It will never be smaller: the caller counts it. */
	if (error == -EMSGSIZE)
		return -ENOTCONN;
	if (error < 0)
		return lose(sinks, sink, error);
	note_works(sink);
	return 0;
}

void sink_add_waiting(struct sink *sink, struct target *target)
{
	if (!target->is_waiting)
		TAILQ_INSERT_TAIL(&sink->waiting, target, wait_link);
	target->is_waiting = true;
}

void sink_remove_waiting(struct target *target)
{
	if (target->is_waiting)
		TAILQ_REMOVE(&target->sink->waiting, target, wait_link);
	target->is_waiting = false;
}

void sinks_run(struct sinks *sinks, struct sink *sink)
{
	int error = 0;
	socklen_t size = sizeof(error);

	watch_remove(&sink->watch, sinks->epoll_fd);
	if (sink->is_connecting) {
		if (getsockopt(sink->watch.fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
			error = errno;
		if (error != 0) {
			(void)lose(sinks, sink, -error);
			return;
		}
		sink->is_connecting = false;
		sink->stuck_ns = 0;
	}
	error = send_rest(sinks, sink);
	if (error == -EAGAIN)
		(void)note_full(sinks, sink);
	else if (error < 0)
		(void)lose(sinks, sink, error);
}

bool sink_takes_lines(const struct sink *sink)
{
	return sink->kind == SINK_INHERIT || sink->kind == SINK_PROGRAM;
}

/* ---- connections ---------------------------------------------------------------------------- */

static int connect_sink(struct sinks *sinks, struct sink *sink)
{
	const char *target = strchr(sink->address, ':') + 1;

	switch (sink->kind) {
	case SINK_UNIX:
	case SINK_JOURNAL:
		return connect_unix(sink, target);
	case SINK_UDP:
	case SINK_TCP:
		return connect_inet(sink, target);
	case SINK_INHERIT:
		return open_inherited(sink, target);
	case SINK_PROGRAM:
		return open_input(sinks, sink, target);
	}
	return -EINVAL;
}

static int connect_unix(struct sink *sink, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int error;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	error = open_socket(sink, SOCK_DGRAM, (struct sockaddr *)&address, sizeof(address));
	/* Some daemons listen on a stream. */
	if (error == -EPROTOTYPE && sink->kind == SINK_UNIX)
		error =
		    open_socket(sink, SOCK_STREAM, (struct sockaddr *)&address, sizeof(address));
	return error;
}

/* HOST:PORT; the configuration has seen that HOST is a number. */
static int connect_inet(struct sink *sink, const char *host)
{
	int type = sink->kind == SINK_TCP ? SOCK_STREAM : SOCK_DGRAM;
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	const char *colon = strrchr(host, ':');
	bool brackets = host[0] == '[';
	char number[INET6_ADDRSTRLEN];
	size_t length;

	if (colon == NULL || colon < host + 2)
		return -EINVAL;
	length = (size_t)(colon - host) - (brackets ? 2 : 0);
	if (length >= sizeof(number))
		return -EINVAL;
	memcpy(number, host + brackets, length);
	number[length] = '\0';
	v4.sin_port = v6.sin6_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
	if (brackets && inet_pton(AF_INET6, number, &v6.sin6_addr) == 1)
		return open_socket(sink, type, (struct sockaddr *)&v6, sizeof(v6));
	if (!brackets && strcmp(number, "localhost") == 0)
		(void)snprintf(number, sizeof(number), "127.0.0.1");
	if (!brackets && inet_pton(AF_INET, number, &v4.sin_addr) == 1)
		return open_socket(sink, type, (struct sockaddr *)&v4, sizeof(v4));
	return -EINVAL;
}

static int open_socket(struct sink *sink, int type, const struct sockaddr *address, socklen_t size)
{
	int fd = socket(address->sa_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), error;

	if (fd < 0)
		return -errno;
	sink->is_connecting = false;
	if (connect(fd, address, size) < 0) {
		error = -errno;
		/* A unix stream whose backlog is full says EAGAIN, and there is nothing to wait
		 * for. */
		if (error != -EINPROGRESS) {
			close(fd);
			return error == -EAGAIN ? -ECONNREFUSED : error;
		}
		sink->is_connecting = true;
	}
	sink->watch.fd = fd;
	sink->is_bytes = type == SOCK_STREAM;
	return 0;
}

static int open_inherited(struct sink *sink, const char *number)
{
	int fd = fcntl(number[0] == '1' ? STDOUT_FILENO : STDERR_FILENO, F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	sink->watch.fd = fd;
	sink->is_bytes = true;
	return 0;
}

static int open_input(struct sinks *sinks, struct sink *sink, const char *row)
{
	const struct held_input *input;

	LIST_FOREACH (input, &sinks->inputs, link) {
		if (input->row != strtoul(row, NULL, 10))
			continue;
		sink->watch.fd = fcntl(input->fd, F_DUPFD_CLOEXEC, 0);
		sink->is_bytes = true;
		return sink->watch.fd < 0 ? -errno : 0;
	}
	return -ENOENT;
}

/* ---- sending -------------------------------------------------------------------------------- */

/* With the frame that the kind of sink needs; what is sent in part is kept for the next time. */
static int send_whole(struct sinks *sinks, struct sink *sink, const char *bytes, size_t length)
{
	char count[24];
	struct iovec parts[3] = {{.iov_base = count}, {.iov_base = (void *)(uintptr_t)bytes}};
	size_t sent = 0;
	int error;

	parts[1].iov_len = length;
	parts[2] = (struct iovec){.iov_base = (void *)(uintptr_t) ""};
	if (sink->kind == SINK_TCP)
		parts[0].iov_len = (size_t)snprintf(count, sizeof(count), "%zu ", length);
	else if (sink->kind == SINK_UNIX && sink->is_bytes)
		parts[2].iov_len = 1;
	error = send_part(sinks, sink, parts, 3, &sent);
	if (sent == 0 || sent == parts[0].iov_len + length + parts[2].iov_len)
		return error;
	error = keep_rest(sinks, sink, parts, 3, sent);
	return error < 0 ? error : note_full(sinks, sink) == -EAGAIN ? 0 : -ENOTCONN;
}

static int send_part(
    struct sinks *sinks, struct sink *sink, struct iovec *parts, int count, size_t *ret_sent)
{
	struct msghdr msg = {.msg_iov = parts, .msg_iovlen = (size_t)count};
	ssize_t sent;

	do
		sent = sink_takes_lines(sink)
			   ? write_pipe(sinks, sink, parts[1].iov_base, parts[1].iov_len)
			   : sendmsg(sink->watch.fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return -errno;
	*ret_sent = (size_t)sent;
	return 0;
}

/*
 * Into a pipe that others write to and expect to block: so not by O_NONBLOCK, which they would get
 * too.  At most PIPE_BUF bytes at once, all or nothing, by a splice(2) that does not wait.
 */
static ssize_t write_pipe(struct sinks *sinks, struct sink *sink, const char *bytes, size_t length)
{
	size_t at = 0;
	struct stat st;

	if (fstat(sink->watch.fd, &st) < 0)
		return -1;
	while (at < length) {
		size_t piece = length - at < PIPE_BUF ? length - at : PIPE_BUF;
		struct pollfd out = {.fd = sink->watch.fd, .events = POLLOUT};
		char waste[PIPE_BUF];
		ssize_t count;

		errno = EAGAIN;
		if (S_ISFIFO(st.st_mode)) {
			count = write(sinks->scratch[1], bytes + at, piece);
			if (count == (ssize_t)piece)
				count = splice(sinks->scratch[0], NULL, sink->watch.fd, NULL, piece,
				    SPLICE_F_NONBLOCK);
			if (count < (ssize_t)piece) {
				int saved = errno;

				(void)!read(sinks->scratch[0], waste, sizeof(waste));
				errno = saved;
			}
		} else if (S_ISSOCK(st.st_mode)) {
			count =
			    send(sink->watch.fd, bytes + at, piece, MSG_NOSIGNAL | MSG_DONTWAIT);
		} else {
			count = poll(&out, 1, 0) == 1 && (out.revents & POLLOUT)
				    ? write(sink->watch.fd, bytes + at, piece)
				    : -1;
		}
		if (count <= 0)
			return at > 0 ? (ssize_t)at : -1;
		at += (size_t)count;
	}
	return (ssize_t)at;
}

static int send_rest(struct sinks *sinks, struct sink *sink)
{
	while (sink->rest != NULL) {
		struct iovec parts[2] = {{0}, {.iov_base = sink->rest + sink->rest_sent}};
		size_t sent;
		int error;

		parts[1].iov_len = sink->rest_length - sink->rest_sent;
		error = send_part(sinks, sink, parts, 2, &sent);
		if (error < 0)
			return error;
		sink->rest_sent += sent;
		if (sink->rest_sent == sink->rest_length)
			drop_rest(sinks, sink);
	}
	return 0;
}

static int keep_rest(
    struct sinks *sinks, struct sink *sink, const struct iovec *parts, int count, size_t sent)
{
	size_t length = 0, at = 0;

	for (int i = 0; i < count; i++)
		length += parts[i].iov_len;
	sink->rest = malloc(length);
	if (sink->rest == NULL)
		return -ENOMEM; /* the connection is lost: nothing else would fit behind half a
				   message */
	for (int i = 0; i < count; i++) {
		memcpy(sink->rest + at, parts[i].iov_base, parts[i].iov_len);
		at += parts[i].iov_len;
	}
	sink->rest_length = length;
	sink->rest_sent = sent;
	rings_set_limit(sinks->rings, sinks->rings->limit, sinks->rings->reserved + length);
	return 0;
}

static void drop_rest(struct sinks *sinks, struct sink *sink)
{
	if (sink->rest == NULL)
		return;
	sinks->rings->reserved -= sink->rest_length;
	free(sink->rest);
	sink->rest = NULL;
}

/* Full, or not connected yet: -EAGAIN, until that has lasted too long. */
static int note_full(struct sinks *sinks, struct sink *sink)
{
	int64_t now = clock_boot_ns();
	int error = 0;

	if (sink->stuck_ns == 0)
		sink->stuck_ns = now;
	if (!sink_takes_lines(sink) &&
	    now - sink->stuck_ns > (sink->is_connecting ? CONNECT_NS : PATIENCE_NS))
		return lose(sinks, sink, -ETIMEDOUT);
	/* Regular files and the like are never full. */
	error = watch_set(&sink->watch, sinks->epoll_fd, EPOLLOUT);
	return error == 0 || error == -EPERM ? -EAGAIN : lose(sinks, sink, error);
}

static void note_works(struct sink *sink)
{
	if (sink->told_away)
		log_notice("%s: takes log lines again", sink->address);
	sink->told_away = false;
	sink->stuck_ns = sink->retry_ns = sink->delay_ns = 0;
}

/* Away until the delay is over.  Returns -ENOTCONN. */
static int lose(struct sinks *sinks, struct sink *sink, int error)
{
	if (!sink->told_away && sink->kind != SINK_PROGRAM)
		log_error("%s: cannot send log lines: %s; they are counted, trying again",
		    sink->address, strerror(-error));
	sink->told_away = sink->kind != SINK_PROGRAM;
	drop_rest(sinks, sink);
	watch_close(&sink->watch, sinks->epoll_fd);
	sink->is_connecting = false;
	sink->stuck_ns = 0;
	sink->delay_ns = sink->delay_ns == 0 ? NS_PER_S : sink->delay_ns * 2;
	if (sink->delay_ns > AWAY_MAX_NS)
		sink->delay_ns = AWAY_MAX_NS;
	if (sink->kind == SINK_PROGRAM)
		sink->delay_ns = 0; /* it is there once the guardian has passed it on */
	sink->retry_ns = clock_boot_ns() + sink->delay_ns;
	return -ENOTCONN;
}
