/* SPDX-License-Identifier: ISC */
/* raw.c: see raw.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "supervisord/logger/append.h"
#include "supervisord/logger/raw.h"

#define RETRY_NS NS_PER_S

static int skip(
    struct raw *raw, const struct stream *stream, const char *bytes, size_t length, size_t *used);
static int drop(struct raw *raw, const struct stream *stream, const char *bytes, size_t length);
static void note_error(struct raw *raw, int error);

enum stream_outcome raw_pump(
    struct raw *raw, struct stream *stream, size_t budget, size_t *ret_moved, size_t *ret_told)
{
	enum stream_outcome outcome;
	int error;

	*ret_moved = 0;
	raw_tell(raw, stream, ret_told);
	if (raw->error < 0)
		return STREAM_BROKEN;
	outcome = stream_pump(stream, raw->world, budget, ret_moved, &error);
	raw->waits = outcome == STREAM_WAITS;
	note_error(raw, outcome == STREAM_BROKEN ? error : 0);
	return outcome;
}

int raw_take(struct raw *raw, struct stream *stream, const char *bytes, size_t length,
    size_t *ret_used, size_t *ret_moved)
{
	size_t used = 0, moved, told;
	int error = 0;

	*ret_moved = 0;
	if (raw->is_skipping)
		error = skip(raw, stream, bytes, length, &used);
	if (error == 0 && used < length) {
		(void)raw_pump(raw, stream, length - used, &moved, &told);
		used += moved;
		*ret_moved = moved + told;
	}
	if (error == 0 && used < length && stream->spec->full == LOGSPEC_DROP) {
		error = drop(raw, stream, bytes + used, length - used);
		used = length;
	}
	*ret_used = used;
	return error;
}

void raw_tell(struct raw *raw, struct stream *stream, size_t *ret_told)
{
	char note[64];
	int length;

	*ret_told = 0;
	if (raw->error < 0 && clock_boot_ns() < raw->retry_ns)
		return;
	raw->error = 0;
	if (raw->dropped == 0)
		return;
	length = snprintf(note, sizeof(note), "[supervisord: %" PRIu64 " line%s dropped]\n",
	    raw->dropped, raw->dropped == 1 ? "" : "s");
	note_error(raw, append_lines(stream, raw->world, false, note, (size_t)length, ret_told));
	if (*ret_told == 0)
		return;
	stream_tell_news(raw->world, LOG_NEWS_DROPPED, stream, (int64_t)raw->dropped);
	raw->dropped = 0;
}

int raw_discard(int pipe_fd, int null_fd, size_t bytes)
{
	while (bytes > 0) {
		ssize_t count = splice(pipe_fd, NULL, null_fd, NULL, bytes, SPLICE_F_NONBLOCK);

		if (count > 0)
			bytes -= (size_t)count;
		else if (count == 0 || errno != EINTR)
			return count == 0 ? -EIO : -errno;
	}
	return 0;
}

static int skip(
    struct raw *raw, const struct stream *stream, const char *bytes, size_t length, size_t *used)
{
	const char *newline = memchr(bytes, '\n', length);

	*used = newline != NULL ? (size_t)(newline - bytes) + 1 : length;
	raw->is_skipping = newline == NULL;
	raw->dropped += newline != NULL;
	return raw_discard(stream->watch.fd, raw->null_fd, *used);
}

/* A line counts when its end is dropped. */
static int drop(struct raw *raw, const struct stream *stream, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		raw->dropped += bytes[i] == '\n';
	raw->is_skipping = bytes[length - 1] != '\n';
	return raw_discard(stream->watch.fd, raw->null_fd, length);
}

static void note_error(struct raw *raw, int error)
{
	raw->error = error;
	if (error < 0)
		raw->retry_ns = clock_boot_ns() + RETRY_NS;
}
