/* SPDX-License-Identifier: ISC */
/* append.c: see append.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "supervisord/logger/append.h"

static int begin(
    struct stream *stream, struct stream_world *world, bool take_back, uint64_t *ret_size);
static int end_open_line(struct logfile *file, bool take_back, uint64_t *size);
static int cut_open_line(const struct logfile *file, uint64_t *size);
static bool is_ours(const char *bytes, size_t length);
static size_t piece_of(const struct logfile *file, uint64_t size, const char *bytes, size_t length);
static int put(int fd, uint64_t at, const char *bytes, size_t length, size_t *ret_put);

int append_lines(struct stream *stream, struct stream_world *world, bool take_back,
    const char *bytes, size_t length, size_t *ret_taken)
{
	size_t taken = 0;
	uint64_t size;
	int error = begin(stream, world, take_back, &size);

	while (error == 0 && taken < length) {
		struct logfile *file = stream->file;
		size_t piece, done;

		if (logfile_is_due(file, stream->spec, size)) {
			error = stream_rotate(file, stream->spec, world->readers, &size);
			continue;
		}
		piece = piece_of(file, size, bytes + taken, length - taken);
		error = put(file->fd, size, bytes + taken, piece, &done);
		taken += done;
		size += done;
		if (stream_make_room(stream, error))
			error = 0;
	}
	*ret_taken = taken;
	return error;
}

/* The file that the spec names as it stands now, with no line open. */
static int begin(
    struct stream *stream, struct stream_world *world, bool take_back, uint64_t *ret_size)
{
	bool displaced = false;
	int error = 0;

	/* What is written here are whole lines: none is finished in a file that is left. */
	if (stream->file == NULL || strcmp(stream->file->path, stream->spec->path) != 0)
		error = stream_join(stream, world);
	if (error == 0)
		error = logfile_refresh(stream->file, stream->spec, ret_size, &displaced);
	if (error == 0)
		error = end_open_line(stream->file, take_back, ret_size);
	if (error == 0 && displaced)
		error = logfile_reopen(stream->file, stream->spec, ret_size);
	return error;
}

static int end_open_line(struct logfile *file, bool take_back, uint64_t *size)
{
	int is_open = logfile_line_is_open(file, *size), error;
	size_t done;

	if (is_open > 0 && take_back)
		is_open = cut_open_line(file, size);
	if (is_open <= 0)
		return is_open;
	error = put(file->fd, *size, "\n", 1, &done);
	*size += done;
	return error;
}

/* Returns 0 when it is gone, 1 when it is still there: not one of ours. */
static int cut_open_line(const struct logfile *file, uint64_t *size)
{
	uint64_t at = *size;
	char block[4096];
	size_t length;

	while (at > 0) {
		const char *newline;

		length = at < sizeof(block) ? (size_t)at : sizeof(block);
		if (pread(file->fd, block, length, (off_t)(at - length)) != (ssize_t)length)
			return -EIO;
		newline = memrchr(block, '\n', length);
		at -= length;
		if (newline != NULL) {
			at += (uint64_t)(newline - block) + 1;
			break;
		}
	}
	length = *size - at < sizeof(block) ? (size_t)(*size - at) : sizeof(block);
	if (pread(file->fd, block, length, (off_t)at) != (ssize_t)length)
		return -EIO;
	if (!is_ours(block, length))
		return 1;
	if (ftruncate(file->fd, (off_t)at) < 0)
		return -errno;
	*size = at;
	return 0;
}

/* Does it begin as form.h writes lines?  A raw log may have been continued in another format. */
static bool is_ours(const char *bytes, size_t length)
{
	static const char json[] = "{\"time\":\"", stamp[] = "dddd-dd-ddTdd:dd:dd.ddddddZ ";
	size_t known = length < sizeof(json) - 1 ? length : sizeof(json) - 1;

	if (memcmp(bytes, json, known) == 0)
		return true;
	for (size_t i = 0; i < length && i < sizeof(stamp) - 1; i++)
		if (stamp[i] == 'd' ? bytes[i] < '0' || bytes[i] > '9' : bytes[i] != stamp[i])
			return false;
	return true;
}

/* How much goes into the file as it is: up to the line that reaches the limit. */
static size_t piece_of(const struct logfile *file, uint64_t size, const char *bytes, size_t length)
{
	uint64_t room = logfile_room(size, file->rotate_at);
	const char *newline;

	if (room >= length || room == 0)
		return length;
	newline = memchr(bytes + room - 1, '\n', length - (size_t)room + 1);
	return newline != NULL ? (size_t)(newline - bytes) + 1 : length;
}

/* *ret_put: whole lines only. */
static int put(int fd, uint64_t at, const char *bytes, size_t length, size_t *ret_put)
{
	size_t done = 0;
	int error = 0;

	while (done < length && error == 0) {
		ssize_t count = pwrite(fd, bytes + done, length - done, (off_t)(at + done));

		if (count > 0)
			done += (size_t)count;
		else if (count == 0)
			error = -EIO;
		else if (errno != EINTR)
			error = -errno;
	}
	if (done < length) {
		const char *newline = done > 0 ? memrchr(bytes, '\n', done) : NULL;
		size_t whole = newline != NULL ? (size_t)(newline - bytes) + 1 : 0;

		/* If it cannot be taken back it is ended by begin(): two lines, but nothing lost.
		 */
		if (whole < done)
			(void)!ftruncate(fd, (off_t)(at + whole));
		done = whole;
	}
	*ret_put = done;
	return error;
}
