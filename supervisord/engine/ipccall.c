/* SPDX-License-Identifier: ISC */
/* ipccall.c: the methods SendMessage and Messages, see ipc.h and lib/io.superctl.varlink. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/jsonr.h"
#include "lib/ipcmsg.h"
#include "supervisord/engine/call.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/ipc.h"
#include "supervisord/engine/ipcfollow.h"
#include "supervisord/engine/selection.h"

static struct program *next_meant(const struct engine *engine, const char *name, size_t *index);
static int send_to_all(const struct engine *engine, const char *name, const char *line,
    const struct program **ret_failed);
static bool may_have_all(struct call *call, const char *name);
static bool may_have(struct call *call, const struct program *program, const char *name);
static char *make_line(const char *message);
static void write_messages(
    struct call *call, const struct ipcring *ring, int64_t lines, int64_t after, bool continues);
static size_t skip(const char *buffer, size_t length, int64_t lines, int64_t after);
static int follow(void *context, int fd);

void ipc_call_send(struct call *call)
{
	static const char *const names[] = {"name", "message", NULL};
	const char *name = NULL, *message = NULL;
	const struct program *failed = NULL;
	char *line;
	int error;

	if (!call_allows(call, names) || !call_get_string(call, "name", &name) ||
	    !call_get_string(call, "message", &message) || !may_have_all(call, name))
		return;
	line = message != NULL ? make_line(message) : NULL;
	if (line == NULL) {
		call_invalid_parameter(call, "message");
		return;
	}
	error = send_to_all(call->engine, name, line, &failed);
	free(line);
	if (error == -EMSGSIZE) {
		call_invalid_parameter(call, "message");
	} else if (error < 0) {
		call_error_begin(call, CALL_INTERFACE ".NotSent");
		jsonw_member_string(&call->w, "name", program_name(failed));
		jsonw_member_string(&call->w, "reason",
		    error == -EAGAIN ? "its channel is full: it does not read"
				     : "it has no channel: it does not run, or has closed it");
		call_error_end(call);
	} else {
		call_begin_reply(call);
		call_end_reply(call);
	}
}

void ipc_call_messages(struct call *call)
{
	static const char *const names[] = {"name", "lines", "after", "follow", NULL};
	const char *name = NULL;
	int64_t lines = -1, after = 0;
	bool follows = false;
	struct program *program;
	int error;

	if (!call_allows(call, names) || !call_get_string(call, "name", &name) ||
	    !call_get_int(call, "lines", -1, INT64_MAX, &lines) ||
	    !call_get_int(call, "after", 0, INT64_MAX, &after) ||
	    !call_get_bool(call, "follow", &follows))
		return;
	program = selection_find_one(call, name);
	if (program == NULL || !may_have(call, program, name))
		return;
	if (follows && (!call->client->more || call->client->oneway)) {
		call_invalid_parameter(call, "follow");
		return;
	}
	write_messages(call, ipc_get_ring(program), lines, after, follows);
	if (!follows || call->client->dead)
		return;
	/* What cannot be sent at once is for a client that does not read: it may ask again. */
	error = call->client->input.end > call->client->input.start
		    ? -EBUSY
		    : control_hand_over(call->client, follow, program);
	if (error < 0)
		call_error_text(call, CALL_INTERFACE ".Busy", "reason",
		    error == -EAGAIN ? "too many follow these messages" : strerror(-error));
}

/* The instances of that name.  One that is being removed is meant only by its own. */
static struct program *next_meant(const struct engine *engine, const char *name, size_t *index)
{
	struct program *program = engine_next_named(engine, name, index);

	while (program != NULL && program->removed && strcmp(program_name(program), name) != 0)
		program = engine_next_named(engine, name, index);
	return program;
}

/* 0, or the first error and whose it is; the others have it. */
static int send_to_all(const struct engine *engine, const char *name, const char *line,
    const struct program **ret_failed)
{
	struct program *program;
	size_t index = 0;
	int error = 0;

	while ((program = next_meant(engine, name, &index)) != NULL) {
		int result = ipc_send(program, line, strlen(line));

		if (result < 0 && error == 0) {
			error = result;
			*ret_failed = program;
		}
	}
	return error;
}

/* Each instance of that name.  False: the call has been answered. */
static bool may_have_all(struct call *call, const char *name)
{
	const struct program *program;
	size_t index = 0;

	if (name == NULL) {
		call_invalid_parameter(call, "name");
		return false;
	}
	program = next_meant(call->engine, name, &index);
	do {
		if (!may_have(call, program, name))
			return false;
		program = next_meant(call->engine, name, &index);
	} while (program != NULL);
	return true;
}

/* Whether it is one with a channel, for this client.  False: the call has been answered. */
static bool may_have(struct call *call, const struct program *program, const char *name)
{
	if (!selection_allows(call, program, name))
		return false;
	if (program->config->life->key_ipc || program->config->life->key_cluster != CLUSTER_NONE)
		return true;
	call_error_text(call, CALL_INTERFACE ".NoChannel", "name", name);
	return false;
}

/* As one line, whatever blanks it has between its values; NULL: no JSON, too much of it, or one
 * that is Node's own: some of these would kill a worker. */
static char *make_line(const char *message)
{
	json_t *value = json_loads(message, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
	char *line = value != NULL ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
	char *copy = line != NULL ? strdup(line) : NULL;
	struct jsonr json;
	const char *cmd;

	json_decref(value);
	jsonr_init(&json);
	if (copy == NULL || strlen(line) > LIMIT_IPC_LINE ||
	    jsonr_parse(&json, copy, strlen(copy), LIMIT_IPC_DEPTH) < 0 ||
	    ipcmsg_read(&json, &cmd) != IPCMSG_APPLICATION) {
		free(line);
		line = NULL;
	}
	jsonr_done(&json);
	free(copy);
	return line;
}

static void write_messages(
    struct call *call, const struct ipcring *ring, int64_t lines, int64_t after, bool continues)
{
	char *buffer = malloc(LIMIT_IPC_RING);
	size_t length, at;
	struct ipcring_message message;

	if (buffer == NULL) {
		call_out_of_memory(call);
		call->client->dead = continues;
		return;
	}
	length = ring != NULL ? ipcring_copy(ring, buffer) : 0;
	at = skip(buffer, length, lines, after);
	jsonw_begin_object(&call->w);
	jsonw_key(&call->w, "parameters");
	jsonw_begin_object(&call->w);
	jsonw_key(&call->w, "messages");
	jsonw_begin_array(&call->w);
	while (ipcring_next(buffer, length, &at, &message))
		ipc_write_message(&call->w, &message);
	jsonw_end_array(&call->w);
	jsonw_end_object(&call->w);
	if (continues)
		jsonw_member_bool(&call->w, "continues", true);
	jsonw_end_object(&call->w);
	control_reply(call->client, &call->w);
	free(buffer);
}

/* Where the last `lines` of those after that number begin. */
static size_t skip(const char *buffer, size_t length, int64_t lines, int64_t after)
{
	size_t at = 0, begin = 0;
	struct ipcring_message message;
	int64_t count = 0;

	while (ipcring_next(buffer, length, &at, &message)) {
		if ((int64_t)message.number <= after)
			begin = at;
		else
			count++;
	}
	for (; lines >= 0 && count > lines; count--)
		(void)ipcring_next(buffer, length, &begin, &message);
	return begin;
}

static int follow(void *context, int fd)
{
	struct ipc_followers *followers = ipc_get_followers(context);
	int copy, error;

	if (followers == NULL)
		return -ENOMEM;
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (copy < 0)
		return -errno;
	error = ipc_followers_add(followers, copy);
	if (error < 0)
		close(copy);
	return error;
}
