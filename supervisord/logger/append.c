/* SPDX-License-Identifier: ISC */
/* append.c: see append.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "supervisord/logger/append.h"
#include "supervisord/logger/stream.h"

static int begin(
    struct logfile *file, const struct logspec *spec, bool take_back, uint64_t *ret_size);
static int cut_open_line(const struct logfile *file, uint64_t *size);
static bool is_ours(const char *bytes, size_t length);
static size_t piece_of(const struct logfile *file, uint64_t size, const char *bytes, size_t length);
static int put(int fd, uint64_t at, const char *bytes, size_t length, size_t *ret_put);

int append_lines(struct logfile *file, const struct logspec *spec, struct readers *readers,
    bool take_back, const char *bytes, size_t length, size_t *ret_taken)
{
	size_t taken = 0;
	uint64_t size;
	int error = begin(file, spec, take_back, &size);

	while (error == 0 && taken < length) {
		size_t piece = piece_of(file, size, bytes + taken, length - taken), done;

		if (piece == 0) {
			error = stream_rotate(file, spec, readers, &size);
			continue;
		}
		error = put(file->fd, size, bytes + taken, piece, &done);
		taken += done;
		size += done;
	}
	*ret_taken = taken;
	return error;
}

/* The file as it stands now, with no line open. */
static int begin(
    struct logfile *file, const struct logspec *spec, bool take_back, uint64_t *ret_size)
{
	bool displaced;
	int error = logfile_refresh(file, spec, ret_size, &displaced);
	size_t done;
	int is_open;

	if (error < 0)
		return error;
	is_open = logfile_line_is_open(file, *ret_size);
	if (is_open < 0)
		return is_open;
	if (is_open && take_back)
		is_open = cut_open_line(file, ret_size);
	if (is_open < 0)
		return is_open;
	if (is_open) {
		error = put(file->fd, *ret_size, "\n", 1, &done);
		if (error < 0)
			return error;
		(*ret_size)++;
	}
	return displaced ? logfile_reopen(file, spec, ret_size) : 0;
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

/* How much goes into the file as it is: up to the line that reaches the limit; 0: rotate first. */
static size_t piece_of(const struct logfile *file, uint64_t size, const char *bytes, size_t length)
{
	uint64_t room = logfile_room(size, file->rotate_at);
	const char *newline;

	if (room >= length || room == 0)
		return room == 0 ? 0 : length;
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
