/* SPDX-License-Identifier: ISC */
/* streams.c: see streams.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/limits.h"
#include "lib/ownlog.h"
#include "supervisord/logger/streams.h"

#define RETRY_NS NS_PER_S
/* The most a pipe can hold: pipe-max-size of proc(5), as it comes. */
#define PIPE_MAX_BYTES (1024 * 1024)

static int grow_slots(struct streams *streams, uint32_t slot);
static void give_spec(struct streams *streams, struct stream *stream, const struct logspec *spec);
static void keep_old_spec(struct streams *streams, struct stream *stream);
static enum stream_outcome pump(struct streams *streams, struct stream *stream, size_t budget);
static void note_broken(struct streams *streams, struct stream *stream, int error);
static void note_works(struct streams *streams, struct stream *stream);
static void release(struct streams *streams, struct stream *stream);
static void forget(struct streams *streams, struct stream *stream);
static bool finish_round(struct streams *streams);

int streams_init(struct streams *streams, int epoll_fd, struct readers *readers)
{
	*streams = (struct streams){.epoll_fd = epoll_fd, .scratch = {-1, -1}, .readers = readers};
	LIST_INIT(&streams->list);
	return pipe2(streams->scratch, O_CLOEXEC | O_NONBLOCK) < 0 ? -errno : 0;
}

int streams_hold_consume(struct streams *streams, const struct specs *specs, uint32_t slot,
    uint32_t row, uint16_t number, int fd)
{
	struct stream *stream = NULL;
	int error = grow_slots(streams, slot);

	if (error == 0)
		stream = calloc(1, sizeof(*stream));
	if (stream == NULL) {
		close(fd);
		return error < 0 ? error : -ENOMEM;
	}
	release(streams, streams->by_slot[slot]);
	stream->watch = (struct watch){.kind = WATCH_STREAM, .fd = fd};
	stream->slot = slot;
	stream->row = row;
	stream->number = number;
	logfile_init(&stream->file);
	LIST_INSERT_HEAD(&streams->list, stream, link);
	streams->by_slot[slot] = stream;
	give_spec(streams, stream, specs_find(specs, row, number));
	return 0;
}

void streams_release(struct streams *streams, uint32_t slot, uint64_t key)
{
	struct stream *stream = slot < streams->slots ? streams->by_slot[slot] : NULL;

	if (stream != NULL)
		stream->told = true;
	else if (streams->drained != NULL)
		streams->drained(slot, key);
	release(streams, stream);
}

static void release(struct streams *streams, struct stream *stream)
{
	size_t waiting;

	if (stream == NULL)
		return;
	streams->by_slot[stream->slot] = NULL;
	waiting = stream_count_waiting(stream);
	if (stream->spec == NULL) {
		if (waiting > 0)
			log_error("row %u: %s: %zu bytes are lost: it had no log file", stream->row,
			    specs_stream_name(stream->number), waiting);
		forget(streams, stream);
		return;
	}
	/* What is in it now; a process that still writes to it does not hold us up. */
	if (waiting > 0 && pump(streams, stream, waiting) == STREAM_BROKEN) {
		if (streams->orphans < LIMIT_LOG_ORPHANS) {
			stream->released = true;
			streams->orphans++;
			return;
		}
		log_error("%s: %s: %zu bytes are lost: %s", stream->spec->name,
		    specs_stream_name(stream->number), stream_count_waiting(stream),
		    strerror(-stream->error));
	}
	forget(streams, stream);
}

void streams_apply_specs(struct streams *streams, const struct specs *specs)
{
	struct stream *stream;

	LIST_FOREACH (stream, &streams->list, link) {
		const struct logspec *spec = specs_find(specs, stream->row, stream->number);

		if (spec != NULL && !stream->released)
			give_spec(streams, stream, spec);
		else
			keep_old_spec(streams, stream);
	}
}

void streams_run(struct streams *streams, struct stream *stream)
{
	if (pump(streams, stream, LIMIT_LOG_BUDGET) == STREAM_ENDED)
		forget(streams, stream);
}

int streams_get_timeout_ms(const struct streams *streams)
{
	int64_t left;

	if (streams->broken == 0)
		return -1;
	left = streams->retry_ns - clock_boot_ns();
	return left > 0 ? (int)(left / NS_PER_MS) + 1 : 0;
}

void streams_retry(struct streams *streams)
{
	struct stream *stream, *next;

	if (streams->broken == 0 || clock_boot_ns() < streams->retry_ns)
		return;
	streams->retry_ns = clock_boot_ns() + RETRY_NS;
	LIST_FOREACH_SAFE(stream, &streams->list, link, next)
	{
		enum stream_outcome outcome;

		if (stream->error == 0 || stream->spec == NULL)
			continue;
		outcome =
		    pump(streams, stream, stream->released ? PIPE_MAX_BYTES : LIMIT_LOG_BUDGET);
		if (outcome == STREAM_ENDED || (stream->released && outcome != STREAM_BROKEN))
			forget(streams, stream);
	}
}

void streams_finish(struct streams *streams, int limit_ms)
{
	int64_t deadline = clock_boot_ns() + limit_ms * NS_PER_MS;
	struct stream *stream;

	while (finish_round(streams) && clock_boot_ns() < deadline)
		continue;
	LIST_FOREACH (stream, &streams->list, link) {
		size_t waiting = stream_count_waiting(stream);

		if (waiting > 0 && stream->row != LOGSPEC_ROW_OWN)
			log_error("%s: %s: %zu bytes are lost: %s",
			    stream->spec != NULL ? stream->spec->name : "unknown program",
			    specs_stream_name(stream->number), waiting,
			    stream->error < 0 ? strerror(-stream->error)
					      : "there was no end of them");
	}
	/* What was said just now. */
	(void)finish_round(streams);
}

bool streams_is_active(const struct streams *streams)
{
	const struct stream *stream;

	LIST_FOREACH (stream, &streams->list, link)
		if (stream->spec != NULL)
			return true;
	return false;
}

void streams_leave_own_pipe(struct streams *streams)
{
	struct stat own, other;
	struct stream *stream;
	int null;

	if (fstat(STDERR_FILENO, &own) < 0 || !S_ISFIFO(own.st_mode))
		return;
	LIST_FOREACH (stream, &streams->list, link) {
		if (fstat(stream->watch.fd, &other) < 0 || other.st_ino != own.st_ino ||
		    other.st_dev != own.st_dev)
			continue;
		null = open("/dev/null", O_WRONLY | O_CLOEXEC);
		if (null >= 0) {
			(void)dup2(null, STDERR_FILENO);
			close(null);
		}
		return;
	}
}

static int grow_slots(struct streams *streams, uint32_t slot)
{
	struct stream **by_slot;
	uint32_t slots = slot + slot / 4 + 16;

	if (slot >= LIMIT_HELD)
		return -ERANGE;
	if (slot < streams->slots)
		return 0;
	by_slot = realloc(streams->by_slot, slots * sizeof(struct stream *));
	if (by_slot == NULL)
		return -ENOMEM;
	memset(by_slot + streams->slots, 0, (slots - streams->slots) * sizeof(struct stream *));
	streams->by_slot = by_slot;
	streams->slots = slots;
	return 0;
}

/* The spec of a stream is now this one (NULL: none); its pipe is read from here on. */
static void give_spec(struct streams *streams, struct stream *stream, const struct logspec *spec)
{
	const struct logspec *old = stream->spec;
	int error;

	if (spec == NULL)
		return;
	if (old != NULL && spec->keep < old->keep && strcmp(spec->path, old->path) == 0)
		logfile_trim(&stream->file, spec);
	if (stream->spec_is_own)
		free((void *)(uintptr_t)old);
	stream->spec_is_own = false;
	stream->spec = spec;
	logfile_set_limit(&stream->file, spec);
	if (stream->error < 0)
		return;
	error = watch_set(&stream->watch, streams->epoll_fd, EPOLLIN);
	if (error < 0)
		note_broken(streams, stream, error);
}

/*
 * The table has lost this row and will be freed, but the pipe is still held: what a program says
 * until its end goes where it always went.
 */
static void keep_old_spec(struct streams *streams, struct stream *stream)
{
	struct logspec *copy;

	if (stream->spec == NULL || stream->spec_is_own)
		return;
	copy = specs_copy(stream->spec);
	if (copy == NULL) {
		log_error("%s: %s: no memory to remember its log; it waits for the next apply",
		    stream->spec->name, specs_stream_name(stream->number));
		watch_remove(&stream->watch, streams->epoll_fd);
	}
	stream->spec = copy;
	stream->spec_is_own = copy != NULL;
}

static enum stream_outcome pump(struct streams *streams, struct stream *stream, size_t budget)
{
	enum stream_outcome outcome;
	size_t moved;
	int error = 0;

	outcome = stream_pump(stream, streams->scratch, streams->readers, budget, &moved, &error);
	if (moved > 0 && streams->readers->count > 0)
		readers_note_written(streams->readers, stream->row, stream->number, moved);
	if (outcome == STREAM_BROKEN)
		note_broken(streams, stream, error);
	else if (stream->error < 0)
		note_works(streams, stream);
	return outcome;
}

static void note_broken(struct streams *streams, struct stream *stream, int error)
{
	const struct logspec *spec = stream->spec;

	watch_remove(&stream->watch, streams->epoll_fd);
	if (error == -EACCES && streams->sandbox != NULL &&
	    sandbox_is_outdated(streams->sandbox, spec->path))
		streams->wants_new_logger = true;
	else if (stream->error == 0)
		log_error("%s: %s: cannot write %s: %s; its output waits, trying again each second",
		    spec->name, specs_stream_name(stream->number), spec->path, strerror(-error));
	if (stream->error == 0 && streams->broken++ == 0)
		streams->retry_ns = clock_boot_ns() + RETRY_NS;
	stream->error = error;
}

static void note_works(struct streams *streams, struct stream *stream)
{
	int error = 0;

	if (!stream->released)
		error = watch_set(&stream->watch, streams->epoll_fd, EPOLLIN);
	if (error < 0)
		return;
	log_notice("%s: %s: %s is written again", stream->spec->name,
	    specs_stream_name(stream->number), stream->spec->path);
	stream->error = 0;
	streams->broken--;
}

static void forget(struct streams *streams, struct stream *stream)
{
	if (stream->slot < streams->slots && streams->by_slot[stream->slot] == stream)
		streams->by_slot[stream->slot] = NULL;
	streams->broken -= stream->error < 0;
	streams->orphans -= stream->released;
	if (stream->told && streams->drained != NULL)
		streams->drained(
		    stream->slot, held_key(HELD_LOG_READ, stream->row, stream->number));
	watch_close(&stream->watch, streams->epoll_fd);
	logfile_done(&stream->file);
	if (stream->spec_is_own)
		free((void *)(uintptr_t)stream->spec);
	LIST_REMOVE(stream, link);
	free(stream);
}

/* One turn for every pipe; true if there may be more. */
static bool finish_round(struct streams *streams)
{
	struct stream *stream, *next;
	bool more = false;

	LIST_FOREACH_SAFE(stream, &streams->list, link, next)
	{
		if (stream->spec == NULL)
			continue;
		switch (pump(streams, stream, LIMIT_LOG_BUDGET)) {
		case STREAM_BUSY:
			more = true;
			break;
		case STREAM_ENDED:
			forget(streams, stream);
			break;
		case STREAM_DRY:
		case STREAM_BROKEN:
			break;
		}
	}
	return more;
}
