/* SPDX-License-Identifier: ISC */
/* listenfds.c: see listenfds.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/ownlog.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/fdstore.h"
#include "supervisord/engine/listenfds.h"
#include "supervisord/engine/notify.h"
#include "supervisord/engine/sockets.h"

static int get_connection(
    const struct program *program, int *fds, const char **names, size_t *ret_count);
static size_t store_room(const struct program *program, size_t sockets);
static char *join_names(const char *const *names, size_t count, const char *stored);
static int add(char **environment, size_t *count, size_t fds, char *names);

int listenfds_add(struct program *program, char **environment, size_t *count,
    struct launch_fd *extra, size_t *extra_count, enum launch_step *ret_step)
{
	const struct fdstore *store = notify_store(program);
	const char *names[LIMIT_PROGRAM_SOCKETS];
	int fds[LIMIT_PROGRAM_SOCKETS];
	size_t sockets = 0, stored = 0;
	char *stored_names = NULL, *all;
	int error;

	*ret_step = LAUNCH_SOCKETS;
	if (program->config->life->key_socket_as != SOCKET_AS_STDIN) {
		error = program->config->life->key_accept
			    ? get_connection(program, fds, names, &sockets)
			    : sockets_of_program(
				  program->engine, program->config, fds, names, &sockets);
		if (error < 0)
			return error;
	}
	*ret_step = LAUNCH_NOTIFY;
	for (size_t i = 0; i < sockets; i++)
		extra[(*extra_count)++] =
		    (struct launch_fd){.fd = fds[i], .number = FDSTORE_FIRST + (int)i};
	if (store != NULL && store->count > 0) {
		size_t room = store_room(program, sockets);

		stored =
		    fdstore_list(store, extra + *extra_count, FDSTORE_FIRST + (int)sockets, room);
		*extra_count += stored;
		stored_names = stored > 0 ? fdstore_names(store, room) : NULL;
		if (stored > 0 && stored_names == NULL)
			return -ENOMEM;
	}
	if (sockets + stored == 0)
		return 0;
	all = join_names(names, sockets, stored_names);
	free(stored_names);
	if (all == NULL)
		return -ENOMEM;
	error = add(environment, count, sockets + stored, all);
	free(all);
	return error;
}

int listenfds_get_stdin(struct program *program, int *ret_fd)
{
	const char *names[LIMIT_PROGRAM_SOCKETS];
	int fds[LIMIT_PROGRAM_SOCKETS], error;
	size_t count = 0;

	if (program->config->life->key_accept)
		return accept_get(program, ret_fd);
	error = sockets_of_program(program->engine, program->config, fds, names, &count);
	if (error == 0 && count != 1)
		error = -EINVAL; /* the check of the configuration knows better */
	if (error == 0)
		*ret_fd = fds[0];
	return error;
}

/* Called as systemd calls it with Accept=yes. */
static int get_connection(
    const struct program *program, int *fds, const char **names, size_t *ret_count)
{
	int error = accept_get(program, &fds[0]);

	names[0] = "connection";
	if (error == 0)
		*ret_count = 1;
	return error;
}

/* They are numbered from 3 on without a gap, so the number of ready = "fd:N" ends the row. */
static size_t store_room(const struct program *program, size_t sockets)
{
	const struct check *ready = &program->config->life->key_ready;
	size_t first = FDSTORE_FIRST + sockets, room = LIMIT_FDSTORE;

	if (ready->kind != CHECK_FD)
		return room;
	room = (size_t)ready->fd > first ? (size_t)ready->fd - first : 0;
	if (notify_store(program)->count > room)
		log_warning(
		    "%s: ready = \"fd:%d\" leaves room for %zu of its %zu stored descriptors",
		    program_name(program), ready->fd, room, notify_store(program)->count);
	return room;
}

/* "http:https:stored"; to be freed, NULL when out of memory. */
static char *join_names(const char *const *names, size_t count, const char *stored)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	if (stream == NULL)
		return NULL;
	for (size_t i = 0; i < count; i++)
		(void)fprintf(stream, "%s%s", i > 0 ? ":" : "", names[i]);
	if (stored != NULL)
		(void)fprintf(stream, "%s%s", count > 0 ? ":" : "", stored);
	if (fclose(stream) == 0)
		return text;
	free(text);
	return NULL;
}

static int add(char **environment, size_t *count, size_t fds, char *names)
{
	char *variable;

	if (asprintf(&variable, "LISTEN_FDS=%zu", fds) < 0)
		return -ENOMEM;
	environment[(*count)++] = variable;
	if (asprintf(&variable, "LISTEN_PID=") < 0) /* the child completes it */
		return -ENOMEM;
	environment[(*count)++] = variable;
	if (asprintf(&variable, "LISTEN_FDNAMES=%s", names) < 0)
		return -ENOMEM;
	environment[(*count)++] = variable;
	return 0;
}
