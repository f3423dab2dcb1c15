/* SPDX-License-Identifier: ISC */
/*
 * bridge.c: superctl bridge: standard input and output are a connection to the daemon.
 *
 * The far side of -H.  Each direction ends on its own: the end of the input is passed on, and what
 * the daemon still answers comes through.  It ends with the daemon's end of the connection, or when
 * nobody reads the output any more.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctl/connect.h"
#include "ctl/remote.h"

/* A pipe that poll(2) calls writable takes so much without blocking. */
#define CHUNK 4096

/* One direction: bytes that were read and not yet written. */
struct flow {
	char data[CHUNK];
	size_t start, end;
	bool ended; /* there is nothing more to read */
};

static enum exitcode copy(int fd);
static bool move(
    struct flow *flow, int from, short from_events, int to, short to_events, bool to_socket);

enum exitcode ctl_bridge(struct ctl *ctl)
{
	static const char greeting[] = {REMOTE_GREETING};
	enum exitcode code;
	int fd = -1;

	if (ctl->options.host != NULL) {
		ctl_complain(ctl, "bridge: is what -H starts over there");
		return EXITCODE_USAGE;
	}
	if (ctl->options.name_count > 0 && strcmp(ctl->options.names[0], REMOTE_GREET) != 0) {
		ctl_complain(
		    ctl, "bridge: %s: only %s is allowed", ctl->options.names[0], REMOTE_GREET);
		return EXITCODE_USAGE;
	}
	code = connect_daemon(ctl, false, &fd);
	if (code != EXITCODE_OK)
		return code;
	if (ctl->options.name_count > 0)
		out_bytes(&ctl->out, greeting, sizeof(greeting));
	out_flush(&ctl->out);
	code = copy(fd);
	close(fd);
	return code;
}

/* What a flow waits for: to read when it is empty, to write when it is not. */
static short wants(const struct flow *flow, short events, bool reading)
{
	bool empty = flow->start == flow->end;

	return empty == reading && !(reading && flow->ended) ? events : 0;
}

static enum exitcode copy(int fd)
{
	static struct flow up, down;

	bool passed_on = false; /* the end of the input */

	while (!down.ended || down.start < down.end) {
		struct pollfd polls[] = {
		    {.fd = STDIN_FILENO, .events = wants(&up, POLLIN, true)},
		    {.fd = STDOUT_FILENO, .events = wants(&down, POLLOUT, false)},
		    {.fd = fd,
			.events = (short)(wants(&down, POLLIN, true) | wants(&up, POLLOUT, false))},
		};

		/* An end that is not asked about would be told at once, again and again; that of
		 * the output is wanted: nobody reads it. */
		for (size_t i = 0; i < sizeof(polls) / sizeof(polls[0]); i++)
			if (polls[i].events == 0 && polls[i].fd != STDOUT_FILENO)
				polls[i].fd = -1;
		if (poll(polls, sizeof(polls) / sizeof(polls[0]), -1) < 0 && errno != EINTR)
			return EXITCODE_FAILED;
		if (polls[1].revents & (POLLERR | POLLHUP | POLLNVAL))
			return EXITCODE_FAILED;
		if (!move(&up, STDIN_FILENO, polls[0].revents, fd, polls[2].revents, true))
			return EXITCODE_OK;
		if (up.ended && !passed_on) {
			(void)shutdown(fd, SHUT_WR);
			passed_on = true;
		}
		if (!move(&down, fd, polls[2].revents, STDOUT_FILENO, polls[1].revents, false))
			return EXITCODE_FAILED;
	}
	return EXITCODE_OK;
}

/* Read if it is empty, write if it is not, each when poll(2) said so.  False: nobody takes it. */
static bool move(
    struct flow *flow, int from, short from_events, int to, short to_events, bool to_socket)
{
	ssize_t count;

	if (flow->start < flow->end && (to_events & (POLLOUT | POLLERR | POLLHUP))) {
		const char *data = flow->data + flow->start;
		size_t length = flow->end - flow->start;

		count = to_socket ? send(to, data, length, MSG_DONTWAIT | MSG_NOSIGNAL)
				  : write(to, data, length);
		if (count < 0 && errno != EAGAIN && errno != EINTR)
			return false;
		flow->start += count > 0 ? (size_t)count : 0;
	} else if (flow->start == flow->end && !flow->ended &&
		   (from_events & (POLLIN | POLLERR | POLLHUP))) {
		count = read(from, flow->data, sizeof(flow->data));
		if (count < 0 && (errno == EAGAIN || errno == EINTR))
			return true;
		flow->start = 0;
		flow->end = count > 0 ? (size_t)count : 0;
		flow->ended = count <= 0;
	}
	return true;
}
