/* SPDX-License-Identifier: ISC */
/* logact.c: see logact.h. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/jsonw.h"
#include "lib/limits.h"
#include "lib/ownlog.h"
#include "supervisord/logger/logact.h"
#include "supervisord/logger/reader.h"
#include "supervisord/logger/rotation.h"

static int act(struct stream_world *world, enum msg_type type, const struct logspec *spec);
static int refresh(
    struct logfile *file, const struct logspec *spec, uint64_t *ret_size, int *ret_is_open);
static void write_files(struct jsonw *w, const struct logspec *const specs[2]);
static void write_error(
    struct jsonw *w, const char *error, const char *name, const char *reason);
static void answer(struct jsonw *w, int conn);

bool logact_is_request(uint32_t type)
{
	return type == MSG_LOG_ROTATE || type == MSG_LOG_REOPEN || type == MSG_LOG_CLEAR;
}

void logact_serve_consume(struct stream_world *world, const struct specs *specs,
    enum msg_type type, const struct msg_log_act *request, int conn)
{
	const struct logspec *found[2] = {NULL, NULL};
	struct jsonw w;
	int error = 0;

	jsonw_init(&w, LIMIT_VARLINK_BYTES);
	for (unsigned i = 0; i < 2; i++)
		if (request->streams & 1U << i)
			found[i] = specs_find(specs, request->row, (uint16_t)i);
	/* Both in one file: once. */
	if (found[0] != NULL && found[1] != NULL && strcmp(found[0]->path, found[1]->path) == 0)
		found[1] = NULL;
	for (unsigned i = 0; i < 2 && error == 0; i++) {
		if (found[i] == NULL)
			continue;
		error = act(world, type, found[i]);
		if (error < 0)
			write_error(&w, "io.superctl.LogFailed", found[i]->name, strerror(-error));
	}
	if (found[0] == NULL && found[1] == NULL)
		write_error(&w, "io.superctl.NoLog", "", NULL);
	else if (error == 0)
		write_files(&w, found);
	answer(&w, conn);
	jsonw_done(&w);
}

int logact_rotate(struct stream_world *world, struct logfile *file, const struct logspec *spec)
{
	uint64_t size;
	int is_open, error = refresh(file, spec, &size, &is_open);

	if (error < 0 || size == 0)
		return error;
	if (is_open && file->user_count > 0) {
		file->rotate_asked = true;
		return 0;
	}
	error = stream_rotate(file, spec, world->readers, &size);
	return error < 0 ? error : file->rotation_error;
}

int logact_reopen(struct logfile *file, const struct logspec *spec)
{
	uint64_t size;
	int is_open;

	return refresh(file, spec, &size, &is_open);
}

int logact_clear(struct logfile *file, const struct logspec *spec)
{
	uint64_t size;
	int is_open, error = archives_read(&file->archives);

	file->archives_are_read = error == 0;
	while (error == 0 && file->archives.count > 0)
		error = rotation_drop_oldest(&file->archives);
	if (error == 0)
		error = refresh(file, spec, &size, &is_open);
	if (error == 0 && ftruncate(file->fd, 0) < 0)
		error = -errno;
	file->rotate_asked = false;
	return error;
}

static int act(struct stream_world *world, enum msg_type type, const struct logspec *spec)
{
	struct logfile *file = logfiles_get(&world->files, spec->path);
	int error = 0;

	if (file == NULL)
		return -ENOMEM;
	switch ((int)type) {
	case MSG_LOG_ROTATE:
		error = logact_rotate(world, file, spec);
		break;
	case MSG_LOG_REOPEN:
		error = logact_reopen(file, spec);
		break;
	case MSG_LOG_CLEAR:
		error = logact_clear(file, spec);
		if (error == 0)
			readers_note_cleared(world->readers, spec->path);
		log_notice("%s: %s was cleared", spec->name, spec->path);
		break;
	}
	logfiles_drop(&world->files, file);
	return error;
}

/* What is at the path is open, unless a line is open in what was there before. */
static int refresh(
    struct logfile *file, const struct logspec *spec, uint64_t *ret_size, int *ret_is_open)
{
	bool displaced;
	int error = logfile_refresh(file, spec, ret_size, &displaced);

	if (error < 0)
		return error;
	*ret_is_open = logfile_line_is_open(file, *ret_size);
	if (*ret_is_open < 0)
		return *ret_is_open;
	if (!displaced || (*ret_is_open && file->user_count > 0))
		return 0;
	*ret_is_open = 0;
	return logfile_reopen(file, spec, ret_size);
}

static void write_files(struct jsonw *w, const struct logspec *const specs[2])
{
	jsonw_begin_object(w);
	jsonw_key(w, "parameters");
	jsonw_begin_object(w);
	jsonw_key(w, "files");
	jsonw_begin_array(w);
	for (int i = 0; i < 2; i++)
		if (specs[i] != NULL)
			jsonw_string(w, specs[i]->path);
	jsonw_end_array(w);
	jsonw_end_object(w);
	jsonw_end_object(w);
}

static void write_error(struct jsonw *w, const char *error, const char *name, const char *reason)
{
	jsonw_begin_object(w);
	jsonw_member_string(w, "error", error);
	jsonw_key(w, "parameters");
	jsonw_begin_object(w);
	jsonw_member_string(w, "name", name);
	if (reason != NULL)
		jsonw_member_string(w, "reason", reason);
	jsonw_end_object(w);
	jsonw_end_object(w);
}

/* It is short: a new connection takes it whole, and one that does not is not waited for. */
static void answer(struct jsonw *w, int conn)
{
	jsonw_raw(w, "", 1);
	if (jsonw_error(w) == 0)
		(void)send(conn, w->data, w->length, MSG_NOSIGNAL | MSG_DONTWAIT);
	close(conn);
}
