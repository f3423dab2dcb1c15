/* SPDX-License-Identifier: ISC */
/* feed.c: see feed.h: the method, which starts the helper, and the helper's main(). */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "supervisord/engine/access.h"
#include "supervisord/engine/call.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/feed.h"
#include "supervisord/engine/selection.h"
#include "supervisord/engine/tty.h"

/* Moved at once: a piece that another writer to the pipe does not get into. */
#define PIECE 4096

struct handover {
	struct engine *engine;
	int pipe;
};

static int start(void *context, int client);
static bool may_write(void);

void feed_call(struct call *call)
{
	static const char *const names[] = {"name", "from", NULL};
	struct handover handover = {.engine = call->engine};
	const char *name = NULL;
	struct program *program;
	int64_t from = -1;
	int error;

	if (call->client->oneway)
		return;
	if (!call_allows(call, names) || !call_get_string(call, "name", &name))
		return;
	program = selection_find_one(call, name);
	if (program == NULL)
		return;
	if (program->config->life->key_tty) {
		tty_call_attach(call, program, true);
		return;
	}
	if (!call_get_int(call, "from", -1, INT64_MAX, &from))
		return;
	if (from >= 0) { /* what went into a pipe has no numbers */
		call_invalid_parameter(call, "from");
		return;
	}
	if (program->config->key_stdin.kind != STDIO_PIPE) {
		call_error_text(call, CALL_INTERFACE ".NoInput", "name", name);
		return;
	}
	error = streams_need_stdin(&program->streams, &call->engine->slots, program->run.row);
	handover.pipe = slots_get_fd(&call->engine->slots, program->streams.stdin_write);
	if (error == 0)
		error = call->client->input.end > call->client->input.start
			    ? -EBUSY
			    : control_hand_over(call->client, start, &handover);
	if (error < 0)
		call_error_text(call, CALL_INTERFACE ".Busy", "reason",
		    error == -EBUSY    ? "nothing may follow this call before its reply"
		    : error == -EUSERS ? "too many are attached"
				       : strerror(-error));
}

static int start(void *context, int client)
{
	const struct handover *handover = context;
	char name[] = "feed", option[] = FEED_OPTION;
	char *argv[] = {name, option, NULL};
	const int fds[] = {client, handover->pipe};

	return helper_start(&handover->engine->feeds, handover->engine->loop, argv, fds,
	    sizeof(fds) / sizeof(fds[0]));
}

/*
 * In the helper.  The reply says that from now on the connection carries bytes; its end says that
 * all of them are in the pipe.  A client that is gone while the pipe is full is not waited for.
 */
int feed_main(void)
{
	static const char reply[] = "{\"parameters\":{}}";
	char piece[PIECE];

	(void)signal(SIGPIPE, SIG_IGN);
	if (fcntl(FEED_FD_CLIENT, F_SETFL, 0) < 0 ||
	    send(FEED_FD_CLIENT, reply, sizeof(reply), MSG_NOSIGNAL) != sizeof(reply))
		return 1;
	for (;;) {
		ssize_t length = recv(FEED_FD_CLIENT, piece, sizeof(piece), 0);

		if (length < 0 && errno == EINTR)
			continue;
		if (length <= 0)
			return length < 0 ? 1 : 0;
		for (ssize_t at = 0; at < length;) {
			ssize_t written;

			if (!may_write())
				return 1;
			written = write(FEED_FD_PIPE, piece + at, (size_t)(length - at));
			if (written < 0 && errno != EINTR && errno != EAGAIN)
				return 1;
			at += written > 0 ? written : 0;
		}
	}
}

/* Wait for room in the pipe; false: the client has gone meanwhile. */
static bool may_write(void)
{
	struct pollfd fds[] = {
	    {.fd = FEED_FD_PIPE, .events = POLLOUT},
	    {.fd = FEED_FD_CLIENT}, /* HUP and ERR come unasked: not when it only sends no more */
	};

	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return false;
		if (fds[0].revents != 0)
			return (fds[0].revents & POLLOUT) != 0;
		if (fds[1].revents & (POLLHUP | POLLERR))
			return false;
	}
}
