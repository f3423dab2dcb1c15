/* SPDX-License-Identifier: ISC */
/* stream.c: see stream.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/ownlog.h"
#include "supervisord/logger/reader.h"
#include "supervisord/logger/specs.h"
#include "supervisord/logger/stream.h"

#define LOOK_BYTES 4096

/* One call of stream_pump(). */
struct pump {
	struct stream *stream;
	const int *scratch;
	struct readers *readers;
	uint64_t size;  /* of the file */
	size_t budget;  /* what is left of it */
	bool displaced; /* see logfile_refresh() */
	bool dry;       /* a splice found less than it was to take */
};

static int pump_step(struct pump *pump);
static int pump_boundary(struct pump *pump);
static int splice_bytes(struct pump *pump, uint64_t wanted);
static ssize_t look(const struct pump *pump, char *ret_bytes);

enum stream_outcome stream_pump(struct stream *stream, const int scratch[2],
    struct readers *readers, size_t budget, size_t *ret_moved, int *ret_error)
{
	struct pump pump = {
	    .stream = stream, .scratch = scratch, .readers = readers, .budget = budget};
	int error = logfile_refresh(&stream->file, stream->spec, &pump.size, &pump.displaced);

	while (error == 0 && pump.budget > 0 && !pump.dry)
		error = pump_step(&pump);
	*ret_moved = budget - pump.budget;
	if (error == 0)
		return pump.dry ? STREAM_DRY : STREAM_BUSY;
	if (error == -EAGAIN)
		return STREAM_DRY;
	if (error == -ENODATA)
		return STREAM_ENDED;
	*ret_error = error;
	return STREAM_BROKEN;
}

size_t stream_count_waiting(const struct stream *stream)
{
	int count;

	return ioctl(stream->watch.fd, FIONREAD, &count) == 0 && count > 0 ? (size_t)count : 0;
}

/* Returns 0 to go on, -EAGAIN: pipe empty, -ENODATA: pipe ended, else what is wrong with the file.
 */
static int pump_step(struct pump *pump)
{
	uint64_t room = logfile_room(pump->size, pump->stream->file.rotate_at);

	if (room == 0 || pump->displaced)
		return pump_boundary(pump);
	return splice_bytes(pump, room);
}

/* The file is to be left: end its line, then go to the next.  Not before there is a byte for that
 * one. */
static int pump_boundary(struct pump *pump)
{
	struct stream *stream = pump->stream;
	char bytes[LOOK_BYTES];
	ssize_t seen = look(pump, bytes);
	int is_open;

	if (seen <= 0)
		return seen == 0 ? -ENODATA : (int)seen;
	is_open = logfile_line_is_open(&stream->file, pump->size);
	if (is_open < 0)
		return is_open;
	if (is_open) {
		const char *newline = memchr(bytes, '\n', (size_t)seen);
		uint64_t wanted =
		    newline != NULL ? (uint64_t)(newline - bytes) + 1 : (uint64_t)seen;
		uint64_t room =
		    logfile_line_room(pump->size, stream->file.rotate_at, stream->spec->max_bytes);

		if (room > 0)
			return splice_bytes(pump, wanted < room ? wanted : room);
	}
	if (!pump->displaced)
		return stream_rotate(&stream->file, stream->spec, pump->readers, &pump->size);
	pump->displaced = false;
	return logfile_reopen(&stream->file, stream->spec, &pump->size);
}

int stream_rotate(
    struct logfile *file, const struct logspec *spec, struct readers *readers, uint64_t *size)
{
	struct archive archive;
	int shift_error, error;

	error = logfile_rotate(file, spec, size, &archive, &shift_error);
	if (archive.time_us != 0)
		readers_note_rotated(readers, spec->path, &archive);
	if (shift_error < 0 && !file->rotation_fails)
		log_error("%s: %s: cannot rotate %s: %s; it grows on", spec->name,
		    specs_stream_name(spec->stream), spec->path, strerror(-shift_error));
	else if (shift_error == 0 && file->rotation_fails)
		log_notice("%s: %s: %s is rotated again", spec->name,
		    specs_stream_name(spec->stream), spec->path);
	file->rotation_fails = shift_error < 0;
	return error;
}

static int splice_bytes(struct pump *pump, uint64_t wanted)
{
	size_t length = wanted < pump->budget ? (size_t)wanted : pump->budget;
	off_t at = (off_t)pump->size;
	ssize_t moved;

	do
		moved = splice(pump->stream->watch.fd, NULL, pump->stream->file.fd, &at, length,
		    SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	while (moved < 0 && errno == EINTR);
	if (moved < 0)
		return -errno;
	if (moved == 0)
		return -ENODATA;
	pump->size += (uint64_t)moved;
	pump->budget -= (size_t)moved;
	pump->dry = (size_t)moved < length;
	return 0;
}

/* What the pipe will give next, without taking it.  Up to LOOK_BYTES; 0 at its end, -EAGAIN when
 * empty. */
static ssize_t look(const struct pump *pump, char *ret_bytes)
{
	ssize_t count, at = 0;

	do
		count =
		    tee(pump->stream->watch.fd, pump->scratch[1], LOOK_BYTES, SPLICE_F_NONBLOCK);
	while (count < 0 && errno == EINTR);
	if (count < 0)
		return -errno;
	while (at < count) {
		ssize_t got = read(pump->scratch[0], ret_bytes + at, (size_t)(count - at));

		if (got > 0)
			at += got;
		else if (got == 0 || errno != EINTR)
			return -EIO;
	}
	return count;
}
