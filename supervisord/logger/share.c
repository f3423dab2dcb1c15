/* SPDX-License-Identifier: ISC */
/* share.c: see share.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "supervisord/logger/pump.h"
#include "supervisord/logger/share.h"

/* Any but 0, which is what a pipe has by itself. */
#define MARK SIGURG

static int step_with(struct pump *pump, size_t seen, bool is_own_line);
static size_t choose_length(const struct pump *pump, size_t seen, size_t whole);
static int wait_for_others(struct pump *pump);
static int end_line(struct pump *pump);
static bool may_wait_for_end(struct pump *pump, size_t seen);
static int64_t choose_next_look(int64_t begun_ns, int64_t now_ns);
static void note_written(struct pump *pump, bool is_open);
static void set_last_writer(struct logfile *file, struct stream *stream);
static void mark(struct stream *stream, bool is_marked);
static struct stream *find_marked(const struct logfile *file);

int share_step(struct pump *pump)
{
	struct logfile *file = pump->stream->file;
	ssize_t seen = pump_look(pump, LIMIT_LOG_LOOK);
	int is_open;

	if (seen <= 0)
		return seen == 0 ? -ENODATA : (int)seen;
	is_open = logfile_line_is_open(file, pump->size);
	if (is_open < 0)
		return is_open;
	if (!is_open) {
		file->hold_end_ns = 0;
		return step_with(pump, (size_t)seen, false);
	}
	if (file->last_writer == NULL)
		file->last_writer = find_marked(file);
	else if (!file->last_writer->is_marked) /* it was alone until now */
		mark(file->last_writer, true);
	if (file->hold_end_ns == 0)
		file->hold_end_ns = clock_boot_ns() + LIMIT_LOG_HOLD_NS;
	if (file->last_writer == pump->stream)
		return step_with(pump, (size_t)seen, true);
	return wait_for_others(pump);
}

bool share_is_free(const struct logfile *file)
{
	return file->hold_end_ns == 0;
}

/* Nobody will finish its line: whoever comes next need not wait. */
void share_note_leaver(struct logfile *file, struct stream *stream)
{
	mark(stream, false);
	if (file->last_writer != stream)
		return;
	file->last_writer = NULL;
	if (file->user_count > 0)
		file->hold_end_ns = 1;
}

void share_adopt(struct stream *stream)
{
	stream->is_marked = fcntl(stream->watch.fd, F_GETSIG) == MARK;
}

/* At the start of a line, or within our own. */
static int step_with(struct pump *pump, size_t seen, bool is_own_line)
{
	struct stream *stream = pump->stream;
	const char *newline = memrchr(pump->world->look, '\n', seen);
	size_t whole = newline != NULL ? (size_t)(newline - pump->world->look) + 1 : 0;
	bool is_due = pump_is_due(pump), ends_line;
	uint64_t size = pump->size;
	size_t length;
	int error;

	if (is_due && (!is_own_line || logfile_line_room(pump->size, stream->file->rotate_at,
					   stream->spec->max_bytes) == 0))
		return pump_change_file(pump);
	if (whole == 0 && !is_own_line && may_wait_for_end(pump, seen))
		return -EBUSY;
	if (is_due && whole > 0) /* no line more than this one */
		whole = (size_t)((const char *)memchr(pump->world->look, '\n', whole) -
				 pump->world->look) +
			1;
	length = choose_length(pump, seen, whole);
	ends_line = pump->world->look[length - 1] == '\n';
	set_last_writer(stream->file, stream);
	error = pump_splice(pump, length);
	if (pump->size > size)
		note_written(pump, pump->size - size < length || !ends_line);
	/* Less than what is in the pipe was taken, on purpose. */
	pump->dry = false;
	return error;
}

/* As much as there is in whole lines, but not past the line in which the file is full. */
static size_t choose_length(const struct pump *pump, size_t seen, size_t whole)
{
	const struct stream *stream = pump->stream;
	const char *bytes = pump->world->look, *newline;
	uint64_t room = logfile_room(pump->size, stream->file->rotate_at);
	uint64_t line_room =
	    logfile_line_room(pump->size, stream->file->rotate_at, stream->spec->max_bytes);
	size_t length = whole > 0 ? whole : seen;

	if (room < length) {
		newline = memchr(bytes + (room > 0 ? room - 1 : 0), '\n',
		    length - (room > 0 ? (size_t)room - 1 : 0));
		if (newline != NULL)
			length = (size_t)(newline - bytes) + 1;
	}
	if (length > line_room && line_room > 0)
		length = (size_t)line_room;
	/* A whole number of lines, or what fits. */
	if (length > pump->budget) {
		newline = memrchr(bytes, '\n', pump->budget);
		length = newline != NULL ? (size_t)(newline - bytes) + 1 : pump->budget;
	}
	return length;
}

/* Another stream's line is open. */
static int wait_for_others(struct pump *pump)
{
	struct logfile *file = pump->stream->file;
	const struct stream *writer = file->last_writer;
	bool is_stuck = writer != NULL && writer->error < 0;

	/* What that one cannot write now, this one could not either. */
	if (!pump->world->finishing && (is_stuck || clock_boot_ns() < file->hold_end_ns)) {
		pump->stream->waits = true;
		pump->stream->deadline_ns =
		    is_stuck ? clock_boot_ns() + LIMIT_LOG_HOLD_NS : file->hold_end_ns;
		return -EBUSY;
	}
	return end_line(pump);
}

static int end_line(struct pump *pump)
{
	struct logfile *file = pump->stream->file;
	ssize_t put;

	do
		put = pwrite(file->fd, "\n", 1, (off_t)pump->size);
	while (put < 0 && errno == EINTR);
	if (put < 0)
		return -errno;
	pump->size += (uint64_t)put;
	file->hold_end_ns = 0;
	return 0;
}

/* The beginning of a line is alone in the pipe: can its end still come? */
static bool may_wait_for_end(struct pump *pump, size_t seen)
{
	struct stream *stream = pump->stream;
	int64_t now_ns = clock_boot_ns();
	int capacity = fcntl(stream->watch.fd, F_GETPIPE_SZ);

	if (stream->flush || pump->world->finishing)
		return false;
	/* No more is looked at, however large a busy program's pipe has grown. */
	if (capacity > LIMIT_LOG_LOOK)
		capacity = LIMIT_LOG_LOOK;
	/* Buffers that are partly empty count in full. */
	if (capacity < 0 || seen >= (size_t)capacity / 2 || seen == LIMIT_LOG_LOOK)
		return false;
	if (stream->begun_ns == 0)
		stream->begun_ns = now_ns;
	stream->deadline_ns = choose_next_look(stream->begun_ns, now_ns);
	return now_ns < stream->begun_ns + LIMIT_LOG_HOLD_NS;
}

/* After 1, 2, 4 … ms, and when the line has waited long enough. */
static int64_t choose_next_look(int64_t begun_ns, int64_t now_ns)
{
	int64_t waited_ns = now_ns - begun_ns, end_ns = begun_ns + LIMIT_LOG_HOLD_NS;
	int64_t next_ns =
	    now_ns + (waited_ns > LIMIT_LOG_AGAIN_NS ? waited_ns : LIMIT_LOG_AGAIN_NS);

	return next_ns < end_ns ? next_ns : end_ns;
}

static void note_written(struct pump *pump, bool is_open)
{
	pump->stream->begun_ns = 0;
	pump->stream->deadline_ns = 0;
	pump->stream->file->hold_end_ns = is_open ? clock_boot_ns() + LIMIT_LOG_HOLD_NS : 0;
}

/* Before it writes: killed in the middle of it, the next logger knows. */
static void set_last_writer(struct logfile *file, struct stream *stream)
{
	struct stream *other;

	if (file->last_writer == stream && stream->is_marked)
		return;
	LIST_FOREACH (other, &file->users, of_file)
		if (other != stream)
			mark(other, false);
	mark(stream, true);
	file->last_writer = stream;
}

static void mark(struct stream *stream, bool is_marked)
{
	if (stream->is_marked != is_marked &&
	    fcntl(stream->watch.fd, F_SETSIG, is_marked ? MARK : 0) == 0)
		stream->is_marked = is_marked;
}

static struct stream *find_marked(const struct logfile *file)
{
	struct stream *stream;

	LIST_FOREACH (stream, &file->users, of_file)
		if (stream->is_marked)
			return stream;
	return NULL;
}
