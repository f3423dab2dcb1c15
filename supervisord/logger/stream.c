/* SPDX-License-Identifier: ISC */
/* stream.c: see stream.h and pump.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/ownlog.h"
#include "supervisord/logger/pump.h"
#include "supervisord/logger/reader.h"
#include "supervisord/logger/rotation.h"
#include "supervisord/logger/share.h"
#include "supervisord/logger/specs.h"

/* At the end of a file. */
#define LOOK_BYTES 4096

static int begin(struct pump *pump);
static int pump_step(struct pump *pump);
static int pump_boundary(struct pump *pump);
static bool must_ask_again(const struct pump *pump);

enum stream_outcome stream_pump(struct stream *stream, struct stream_world *world, size_t budget,
    size_t *ret_moved, int *ret_error)
{
	struct pump pump = {.stream = stream, .world = world, .budget = budget};
	int error = begin(&pump);

	while (error == 0 && pump.budget > 0 && !pump.dry) {
		bool is_shared = stream->spec->shared || stream->file->user_count > 1 ||
				 stream->file->hold_end_ns != 0;

		error = is_shared ? share_step(&pump) : pump_step(&pump);
		if (stream_make_room(stream, error))
			error = 0;
	}
	*ret_moved = budget - pump.budget;
	if (error == 0)
		return pump.dry ? STREAM_DRY : STREAM_BUSY;
	if (error == -EAGAIN)
		return STREAM_DRY;
	if (error == -ENODATA)
		return STREAM_ENDED;
	if (error == -EBUSY)
		return STREAM_WAITS;
	*ret_error = error;
	return STREAM_BROKEN;
}

void stream_tell_news(const struct stream_world *world, enum log_news news,
    const struct stream *stream, int64_t value)
{
	if (world->tell_news != NULL)
		world->tell_news(world->news_context, news, stream, value);
}

int stream_join(struct stream *stream, struct stream_world *world)
{
	struct logfile *file = logfiles_get(&world->files, stream->spec->path);

	if (file == NULL)
		return -ENOMEM;
	if (file == stream->file)
		return 0;
	stream_leave(stream, world);
	LIST_INSERT_HEAD(&file->users, stream, of_file);
	file->user_count++;
	stream->file = file;
	logfile_set_limits(file, stream->spec);
	return 0;
}

void stream_leave(struct stream *stream, struct stream_world *world)
{
	struct logfile *file = stream->file;

	if (file == NULL)
		return;
	LIST_REMOVE(stream, of_file);
	file->user_count--;
	stream->file = NULL;
	stream->waits = false;
	share_note_leaver(file, stream);
	logfiles_drop(&world->files, file);
}

size_t stream_count_waiting(const struct stream *stream)
{
	int count;

	return ioctl(stream->watch.fd, FIONREAD, &count) == 0 && count > 0 ? (size_t)count : 0;
}

static int begin(struct pump *pump)
{
	struct stream *stream = pump->stream;
	int error = stream->file == NULL ? stream_join(stream, pump->world) : 0;

	stream->deadline_ns = 0;
	stream->waits = false;
	if (error == 0)
		error = logfile_refresh(stream->file, stream->spec, &pump->size, &pump->displaced);
	return error;
}

/* Returns 0 to go on, -EAGAIN: pipe empty, -ENODATA: pipe ended, -EBUSY: wait, else what is wrong
 * with the file. */
static int pump_step(struct pump *pump)
{
	if (pump_is_due(pump))
		return pump_boundary(pump);
	pump->stream->file->last_writer = pump->stream;
	return pump_splice(pump, logfile_room(pump->size, pump->stream->file->rotate_at));
}

bool pump_is_due(const struct pump *pump)
{
	struct stream *stream = pump->stream;

	return pump->displaced || strcmp(stream->file->path, stream->spec->path) != 0 ||
	       logfile_is_due(stream->file, stream->spec, pump->size);
}

/* The file is to be left: end its line, then go to the next.  Not before there is a byte for that
 * one. */
static int pump_boundary(struct pump *pump)
{
	struct stream *stream = pump->stream;
	const char *bytes = pump->world->look;
	ssize_t seen = pump_look(pump, LOOK_BYTES);
	int is_open;

	if (seen <= 0)
		return seen == 0 ? -ENODATA : (int)seen;
	is_open = logfile_line_is_open(stream->file, pump->size);
	if (is_open < 0)
		return is_open;
	if (is_open) {
		const char *newline = memchr(bytes, '\n', (size_t)seen);
		uint64_t wanted =
		    newline != NULL ? (uint64_t)(newline - bytes) + 1 : (uint64_t)seen;
		uint64_t room =
		    logfile_line_room(pump->size, stream->file->rotate_at, stream->spec->max_bytes);

		if (room > 0)
			return pump_splice(pump, wanted < room ? wanted : room);
	}
	return pump_change_file(pump);
}

int pump_change_file(struct pump *pump)
{
	struct stream *stream = pump->stream;
	int error;

	if (strcmp(stream->file->path, stream->spec->path) != 0) {
		error = stream_join(stream, pump->world);
		if (error == 0)
			error = logfile_refresh(
			    stream->file, stream->spec, &pump->size, &pump->displaced);
		return error;
	}
	if (!pump->displaced)
		return stream_rotate(stream->file, stream->spec, pump->world->readers, &pump->size);
	pump->displaced = false;
	return logfile_reopen(stream->file, stream->spec, &pump->size);
}

int stream_rotate(
    struct logfile *file, const struct logspec *spec, struct readers *readers, uint64_t *size)
{
	struct logfile_rotated rotated;
	int error = logfile_rotate(file, spec, size, &rotated);

	if (rotated.archive.time_us != 0)
		readers_note_rotated(readers, file->path, &rotated.archive);
	else if (rotated.rename_error == 0 && spec->keep == 0)
		readers_note_removed(readers, file->path);
	if (rotated.rename_error < 0 && file->rotation_error == 0)
		log_error("%s: %s: cannot rotate %s: %s; it grows on", spec->name,
		    specs_stream_name(spec->stream), file->path, strerror(-rotated.rename_error));
	else if (rotated.rename_error == 0 && file->rotation_error < 0)
		log_notice("%s: %s: %s is rotated again", spec->name,
		    specs_stream_name(spec->stream), file->path);
	file->rotation_error = rotated.rename_error;
	if (rotated.trim_error < 0 && !file->trim_fails)
		log_error("%s: %s: cannot remove old archives of %s: %s", spec->name,
		    specs_stream_name(spec->stream), file->path, strerror(-rotated.trim_error));
	file->trim_fails = rotated.trim_error < 0;
	return error;
}

/* A full disk: archives are worth less than what is said now, where the stanza has set a size to
 * them.  True: try again. */
bool stream_make_room(const struct stream *stream, int error)
{
	return (error == -ENOSPC || error == -EDQUOT) && stream->spec->total_bytes > 0 &&
	       logfile_read_archives(stream->file) == 0 &&
	       rotation_drop_oldest(&stream->file->archives) == 0;
}

/* A disk that takes a part says why only when it is asked again.  No event makes us where the pipe
 * is edge-triggered or let go of. */
static bool must_ask_again(const struct pump *pump)
{
	const struct stream *stream = pump->stream;

	return (stream->copy != NULL || stream->flush || pump->world->finishing) &&
	       stream_count_waiting(stream) > 0;
}

int pump_splice(struct pump *pump, uint64_t wanted)
{
	size_t length = wanted < pump->budget ? (size_t)wanted : pump->budget;
	off_t at = (off_t)pump->size;
	ssize_t moved;

	do
		moved = splice(pump->stream->watch.fd, NULL, pump->stream->file->fd, &at, length,
		    SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	while (moved < 0 && errno == EINTR);
	if (moved < 0)
		return -errno;
	if (moved == 0)
		return -ENODATA;
	pump->size += (uint64_t)moved;
	pump->budget -= (size_t)moved;
	pump->dry = (size_t)moved < length && !must_ask_again(pump);
	return 0;
}

ssize_t pump_look(const struct pump *pump, size_t most)
{
	char *bytes = pump->world->look;
	const int *scratch = pump->world->scratch;
	ssize_t count, at = 0;

	do
		count = tee(pump->stream->watch.fd, scratch[1], most, SPLICE_F_NONBLOCK);
	while (count < 0 && errno == EINTR);
	if (count < 0)
		return -errno;
	while (at < count) {
		ssize_t got = read(scratch[0], bytes + at, (size_t)(count - at));

		if (got > 0)
			at += got;
		else if (got == 0 || errno != EINTR)
			return -EIO;
	}
	return count;
}
