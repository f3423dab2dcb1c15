/* SPDX-License-Identifier: ISC */
/* streams.c: see streams.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/limits.h"
#include "lib/ownlog.h"
#include "supervisord/logger/share.h"
#include "supervisord/logger/lastwords.h"
#include "supervisord/logger/streams.h"

#define RETRY_NS NS_PER_S
/* The most a pipe can hold: pipe-max-size of proc(5), as it comes. */
#define PIPE_MAX_BYTES (1024 * 1024)

static int grow_slots(struct streams *streams, uint32_t slot);
static void give_spec(struct streams *streams, struct stream *stream, const struct logspec *spec);
static void keep_old_spec(struct streams *streams, struct stream *stream);
static void set_way(struct streams *streams, struct stream *stream);
static int watch(struct streams *streams, struct stream *stream, bool is_edge);
static int64_t next_delay(const struct streams *streams);
static void give_up(struct streams *streams);
static bool has_writer(const struct stream *stream);
static void try_again(struct streams *streams, struct stream *stream);
static void resume(struct streams *streams, struct stream *stream);
static void note_waits(struct streams *streams, struct stream *stream, enum stream_outcome outcome);
static void note_deadline(struct streams *streams, int64_t deadline_ns);
static void wake_waiters(struct streams *streams, struct logfile *file);
static bool is_written(enum stream_outcome outcome);
static void note_broken(struct streams *streams, struct stream *stream, int error);
static void say_broken(struct streams *streams, struct stream *stream, int error);
static void note_works(struct streams *streams, struct stream *stream);
static void end_error(struct streams *streams, struct stream *stream);
static void release(struct streams *streams, struct stream *stream);
static void tell_drained(struct streams *streams, uint32_t slot, uint64_t key);

int streams_init(
    struct streams *streams, int epoll_fd, struct readers *readers, const struct ledger *ledger)
{
	memset(streams, 0, sizeof(*streams));
	streams->epoll_fd = epoll_fd;
	streams->world.readers = readers;
	LIST_INIT(&streams->list);
	/* By itself: it is not touched, and takes no memory, before it is needed. */
	streams->world.look = malloc(LIMIT_LOG_LOOK);
	if (streams->world.look == NULL)
		return -ENOMEM;
	if (pipe2(streams->world.scratch, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	return copier_init(&streams->copier, epoll_fd, &streams->world, ledger);
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
	share_adopt(stream);
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
	else
		tell_drained(streams, slot, key);
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
		streams_forget(streams, stream);
		return;
	}
	/* What is in it now; a process that still writes to it does not hold us up. */
	stream->flush = true;
	if (waiting > 0 && !is_written(streams_pump(streams, stream, waiting, true)) &&
	    stream_count_waiting(stream) > 0) {
		if (streams->orphans < LIMIT_LOG_ORPHANS) {
			watch_remove(&stream->watch, streams->epoll_fd);
			stream->released = true;
			streams->orphans++;
			return;
		}
		waiting = stream_count_waiting(stream);
		log_error("%s: %s: %zu bytes are lost: %s", stream->spec->name,
		    specs_stream_name(stream->number), waiting, strerror(-stream->error));
		stream_tell_news(&streams->world, LOG_NEWS_LOST, stream, (int64_t)waiting);
	}
	streams_forget(streams, stream);
}

void streams_apply_specs(struct streams *streams, const struct specs *specs)
{
	const struct logspec *own = specs_find(specs, LOGSPEC_ROW_OWN, 0);
	size_t line_max = LIMIT_LOG_LINE;
	struct stream *stream;

	for (size_t i = 0; i < specs->table.count; i++)
		if (stream_line_max(&specs->table.specs[i]) > line_max)
			line_max = stream_line_max(&specs->table.specs[i]);
	copier_set_limits(&streams->copier, own != NULL ? own->memory : 0, line_max);

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
	enum stream_outcome outcome = streams_pump(streams, stream, LIMIT_LOG_BUDGET, false);

	if (outcome == STREAM_ENDED)
		streams_forget(streams, stream);
	else if (outcome == STREAM_BUSY && stream->copy != NULL)
		(void)watch_rearm(&stream->watch, streams->epoll_fd);
}

void streams_run_sink(struct streams *streams, struct sink *sink)
{
	struct target *target;

	sinks_run(&streams->copier.sinks, sink);
	/* Each has a turn; who finds the sink full waits again, behind the others. */
	for (target = TAILQ_FIRST(&sink->waiting); target != NULL && !sink->watch.added;
	     target = TAILQ_FIRST(&sink->waiting)) {
		struct stream *stream = target->stream;

		sink_remove_waiting(target);
		resume(streams, stream);
	}
}

void streams_sweep(struct streams *streams)
{
	sinks_sweep(&streams->copier.sinks);
}

const struct ring *streams_find_ring(const struct streams *streams, uint32_t row, uint16_t number)
{
	const struct stream *stream;

	LIST_FOREACH (stream, &streams->list, link)
		if (stream->row == row && stream->number == number && stream->copy != NULL)
			return stream->copy->ring;
	return NULL;
}

int streams_get_timeout_ms(const struct streams *streams)
{
	int64_t due_ns = copier_next_due(&streams->copier), left;

	if (streams->broken > 0 && streams->retry_ns < due_ns)
		due_ns = streams->retry_ns;
	if (streams->wait_ns > 0 && streams->wait_ns < due_ns)
		due_ns = streams->wait_ns;
	if (due_ns == INT64_MAX)
		return -1;
	left = due_ns - clock_boot_ns();
	return left > 0 ? (int)(left / NS_PER_MS) + 1 : 0;
}

void streams_retry(struct streams *streams)
{
	int64_t now_ns = clock_boot_ns();
	bool broken = streams->broken > 0 && now_ns >= streams->retry_ns;
	bool waiting = streams->wait_ns > 0 && now_ns >= streams->wait_ns;
	bool is_last = broken && streams->is_alone && streams->delay_ns == LIMIT_LOG_ALONE_NS;
	struct stream *stream, *next;
	bool flush;

	/* Unfinished lines that have waited long enough. */
	while ((stream = copier_get_due(&streams->copier, now_ns, &flush)) != NULL) {
		enum stream_outcome outcome =
		    streams_pump(streams, stream, LIMIT_LOG_BUDGET, flush);

		if (outcome == STREAM_ENDED)
			streams_forget(streams, stream);
		else if (outcome == STREAM_BUSY)
			(void)watch_rearm(&stream->watch, streams->epoll_fd);
	}
	if (!broken && !waiting)
		return;
	if (broken) {
		streams->delay_ns = next_delay(streams);
		streams->retry_ns = now_ns + streams->delay_ns;
	}
	if (waiting)
		streams->wait_ns = 0;
	LIST_FOREACH_SAFE(stream, &streams->list, link, next)
	{
		if (stream->spec == NULL)
			continue;
		if ((broken && stream->error < 0) ||
		    (stream->deadline_ns > 0 && now_ns >= stream->deadline_ns))
			try_again(streams, stream);
		else if (waiting && stream->deadline_ns > 0)
			note_deadline(streams, stream->deadline_ns);
	}
	if (is_last)
		give_up(streams);
}

/* Nobody else would end a logger that tries the same for ever. */
static int64_t next_delay(const struct streams *streams)
{
	if (!streams->is_alone || streams->delay_ns == 0)
		return RETRY_NS;
	return streams->delay_ns * 2 < LIMIT_LOG_ALONE_NS ? streams->delay_ns * 2
							  : LIMIT_LOG_ALONE_NS;
}

/* What waits in a pipe that nobody writes to, for a file that has not been writable for long. */
static void give_up(struct streams *streams)
{
	struct stream *stream, *next;

	LIST_FOREACH_SAFE(stream, &streams->list, link, next)
	{
		if (stream->spec == NULL || stream->error == 0 || has_writer(stream))
			continue;
		log_error("%s: %s: %zu bytes are lost: %s", stream->spec->name,
		    specs_stream_name(stream->number), stream_count_waiting(stream),
		    strerror(-stream->error));
		streams_forget(streams, stream);
	}
}

static bool has_writer(const struct stream *stream)
{
	struct pollfd end = {.fd = stream->watch.fd};

	return poll(&end, 1, 0) != 1 || !(end.revents & POLLHUP);
}

static void try_again(struct streams *streams, struct stream *stream)
{
	enum stream_outcome outcome = streams_pump(streams, stream,
	    stream->released ? PIPE_MAX_BYTES : LIMIT_LOG_BUDGET, stream->released);

	if (outcome == STREAM_ENDED ||
	    (stream->released && (is_written(outcome) || stream_count_waiting(stream) == 0)))
		streams_forget(streams, stream);
	else if (outcome == STREAM_BUSY && stream->copy != NULL)
		(void)watch_rearm(&stream->watch, streams->epoll_fd);
}

/* In the middle of events, one of which may be the stream's own: that one ends it. */
static void resume(struct streams *streams, struct stream *stream)
{
	if (stream->released)
		try_again(streams, stream);
	else if (streams_pump(streams, stream, LIMIT_LOG_BUDGET, false) != STREAM_BROKEN)
		(void)watch_rearm(&stream->watch, streams->epoll_fd);
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
	int error;

	if (spec == NULL)
		return;
	if (stream->spec_is_own)
		free((void *)(uintptr_t)stream->spec);
	stream->spec_is_own = false;
	stream->spec = spec;
	if (stream->file != NULL && strcmp(stream->file->path, spec->path) == 0)
		logfile_set_limits(stream->file, spec);
	set_way(streams, stream);
	if (stream->error < 0 && stream->copy == NULL)
		return;
	error = watch(streams, stream, false);
	/* What is held in the pipe has no time any more: it is to be seen again. */
	if (error == 0 && stream->copy != NULL)
		error = watch_rearm(&stream->watch, streams->epoll_fd);
	if (error < 0)
		note_broken(streams, stream, error);
}

/* By splice(2) alone, or through memory? */
static void set_way(struct streams *streams, struct stream *stream)
{
	struct copier *copier = &streams->copier;

	if (copy_is_needed(stream->spec)) {
		if (copy_set_spec(copier, stream) < 0)
			log_error("%s: %s: no memory for its targets; they stay as they were",
			    stream->spec->name, specs_stream_name(stream->number));
		return;
	}
	copy_free(copier, stream->copy);
	stream->copy = NULL;
}

/* Bytes that stay in the pipe would be reported without end. */
static int watch(struct streams *streams, struct stream *stream, bool is_edge)
{
	bool edge = is_edge || stream->copy != NULL;

	return watch_set(&stream->watch, streams->epoll_fd, edge ? EPOLLIN | EPOLLET : EPOLLIN);
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

enum stream_outcome streams_pump(
    struct streams *streams, struct stream *stream, size_t budget, bool flush)
{
	enum stream_outcome outcome;
	size_t moved;
	int error = 0;

	if (stream->copy != NULL)
		outcome = copy_pump(&streams->copier, stream, budget,
		    flush || stream->flush || streams->world.finishing, &moved, &error);
	else
		outcome = stream_pump(stream, &streams->world, budget, &moved, &error);
	streams->moved += moved;
	lastwords_note(stream, streams->copier.ledger, moved);
	if (moved > 0 && streams->world.readers->count > 0)
		readers_note_written(streams->world.readers, stream->row, stream->number,
		    stream->file != NULL ? stream->file->path : "");
	if (outcome == STREAM_BROKEN)
		note_broken(streams, stream, error);
	else if (stream->error < 0)
		note_works(streams, stream);
	/* Not only where the spec says shared: it may just have left such a file. */
	if (outcome != STREAM_BROKEN)
		note_waits(streams, stream, outcome);
	if (stream->file != NULL && stream->file->user_count > 1)
		wake_waiters(streams, stream->file);
	return outcome;
}

/* Bytes that wait for the end of their line wake us again only with what comes behind them. */
static void note_waits(struct streams *streams, struct stream *stream, enum stream_outcome outcome)
{
	int error = 0;

	if (outcome == STREAM_WAITS)
		note_deadline(streams, stream->deadline_ns);
	if (stream->released)
		return;
	if (stream->waits)
		watch_remove(&stream->watch, streams->epoll_fd);
	else
		error = watch(streams, stream, outcome == STREAM_WAITS);
	if (error < 0)
		note_broken(streams, stream, error);
}

static void note_deadline(struct streams *streams, int64_t deadline_ns)
{
	if (streams->wait_ns == 0 || deadline_ns < streams->wait_ns)
		streams->wait_ns = deadline_ns;
}

/* Those that wait for the end of a line, when it has come.  An orphan has no event: it is due. */
static void wake_waiters(struct streams *streams, struct logfile *file)
{
	struct stream *stream;

	if (!share_is_free(file))
		return;
	LIST_FOREACH (stream, &file->users, of_file) {
		if (!stream->waits)
			continue;
		stream->waits = false;
		if (stream->released || watch(streams, stream, false) < 0)
			note_deadline(streams, stream->deadline_ns = clock_boot_ns());
	}
}

/* All that was to be written is. */
static bool is_written(enum stream_outcome outcome)
{
	return outcome != STREAM_BROKEN && outcome != STREAM_WAITS;
}

static void note_broken(struct streams *streams, struct stream *stream, int error)
{
	if (stream->copy == NULL)
		watch_remove(&stream->watch, streams->epoll_fd);
	if (error == -EACCES && streams->sandbox != NULL &&
	    sandbox_is_outdated(streams->sandbox, stream->spec->path))
		streams->wants_new_logger = true;
	else if (error != -EAGAIN && (stream->error == 0 || stream->error == -EAGAIN))
		say_broken(streams, stream, error);
	if (stream->error == 0 && streams->broken++ == 0) {
		streams->delay_ns = RETRY_NS;
		streams->retry_ns = clock_boot_ns() + RETRY_NS;
	}
	stream->error = error;
}

/* Of a disk that is full or broken it is said once, not for each log on it. */
static void say_broken(struct streams *streams, struct stream *stream, int error)
{
	const struct logspec *spec = stream->spec;
	bool of_disk = error == -ENOSPC || error == -EDQUOT || error == -EIO || error == -EROFS;

	if (of_disk && error == streams->disk_error) {
		stream->is_untold = true;
		streams->untold++;
		return;
	}
	if (of_disk)
		streams->disk_error = error;
	log_error("%s: %s: cannot write %s: %s; its output %s%s, trying again%s", spec->name,
	    specs_stream_name(stream->number), spec->path, strerror(-error),
	    spec->full == LOGSPEC_DROP ? "is dropped and counted" : "waits",
	    of_disk ? ", and that of others in the same case" : "",
	    streams->is_alone ? "" : " each second");
	stream_tell_news(&streams->world,
	    spec->full == LOGSPEC_DROP ? LOG_NEWS_DROPS : LOG_NEWS_WAITS, stream, -error);
}

static void note_works(struct streams *streams, struct stream *stream)
{
	int error = 0;

	if (!stream->released && stream->copy == NULL)
		error = watch(streams, stream, false);
	if (error < 0)
		return;
	if (!stream->is_untold && stream->error != -EAGAIN) {
		log_notice("%s: %s: %s is written again", stream->spec->name,
		    specs_stream_name(stream->number), stream->spec->path);
		stream_tell_news(&streams->world, LOG_NEWS_AGAIN, stream, 0);
	}
	end_error(streams, stream);
}

static void end_error(struct streams *streams, struct stream *stream)
{
	if (stream->error == 0)
		return;
	stream->error = 0;
	stream->is_untold = false;
	if (--streams->broken > 0)
		return;
	if (streams->untold > 0)
		log_notice("%u more logs are written again or have ended", streams->untold);
	streams->untold = 0;
	streams->disk_error = 0;
}

/* What it had is written, and there will be no more. */
static void tell_drained(struct streams *streams, uint32_t slot, uint64_t key)
{
	readers_note_released(streams->world.readers, held_key_row(key), held_key_stream(key));
	if (streams->drained != NULL)
		streams->drained(slot, key);
}

void streams_forget(struct streams *streams, struct stream *stream)
{
	if (stream->slot < streams->slots && streams->by_slot[stream->slot] == stream)
		streams->by_slot[stream->slot] = NULL;
	end_error(streams, stream);
	streams->orphans -= stream->released;
	if (stream->told)
		tell_drained(
		    streams, stream->slot, held_key(HELD_LOG_READ, stream->row, stream->number));
	copy_free(&streams->copier, stream->copy);
	stream_leave(stream, &streams->world);
	watch_close(&stream->watch, streams->epoll_fd);
	if (stream->spec_is_own)
		free((void *)(uintptr_t)stream->spec);
	LIST_REMOVE(stream, link);
	free(stream);
}
