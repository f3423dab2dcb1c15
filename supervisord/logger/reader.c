/* SPDX-License-Identifier: ISC */
/* reader.c: see reader.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/limits.h"
#include "lib/ownlog.h"
#include "supervisord/logger/reader.h"
#include "supervisord/logger/reply.h"

/* Room before the data for the note that some was lost. */
#define NOTE_BYTES 96

enum progress { PROGRESS_DONE, PROGRESS_IDLE, PROGRESS_MORE };

static void refuse(int conn, const struct readers *readers, const char *unknown);
static struct reader *make_reader(const struct msg_read_log *request, int conn);
static void free_reader(struct reader *reader, int epoll_fd);
static enum progress run(struct reader *reader, const struct specs *specs);
static int follow_path(struct reader *reader, const struct logspec *spec);
static enum progress search(struct reader *reader);
static enum progress answer_once(struct reader *reader);
static enum progress answer_next(struct reader *reader);
static void answer_end(struct reader *reader);
static char *write_note(char *data, uint64_t lost);
static int send_out(struct reader *reader);
static void end_reader(struct readers *readers, struct reader *reader);

void readers_init(struct readers *readers, int epoll_fd)
{
	*readers = (struct readers){.epoll_fd = epoll_fd};
	LIST_INIT(&readers->list);
}

void readers_add_consume(struct readers *readers, const struct specs *specs,
    const struct msg_read_log *request, int conn)
{
	struct reader *reader;
	char name[32];

	if (specs_find(specs, request->row, request->stream) == NULL) {
		(void)snprintf(name, sizeof(name), "row %u", request->row);
		refuse(conn, readers, name);
		return;
	}
	reader = readers->count < LIMIT_LOG_READERS ? make_reader(request, conn) : NULL;
	if (reader == NULL) {
		refuse(conn, readers, NULL);
		return;
	}
	LIST_INSERT_HEAD(&readers->list, reader, link);
	readers->count++;
	/* Writable at once: that event starts the work. */
	if (watch_set(&reader->watch, readers->epoll_fd, EPOLLOUT) < 0)
		end_reader(readers, reader);
}

void readers_run(
    struct readers *readers, const struct specs *specs, struct reader *reader, uint32_t events)
{
	uint32_t wanted = reader->request.follow ? EPOLLRDHUP : 0;

	if (reader->is_dead)
		return;
	if (events & (EPOLLERR | EPOLLHUP | (reader->request.follow ? EPOLLRDHUP : 0))) {
		end_reader(readers, reader);
		return;
	}
	switch (run(reader, specs)) {
	case PROGRESS_DONE:
		end_reader(readers, reader);
		return;
	case PROGRESS_IDLE:
		break;
	case PROGRESS_MORE:
		wanted |= EPOLLOUT;
		break;
	}
	if (watch_set(&reader->watch, readers->epoll_fd, wanted) < 0)
		end_reader(readers, reader);
}

void readers_note_written(
    struct readers *readers, uint32_t row, uint16_t stream, const char *path, uint64_t bytes)
{
	struct reader *reader;

	LIST_FOREACH (reader, &readers->list, link) {
		bool is_own = reader->request.row == row && reader->request.stream == stream;

		if (reader->is_dead ||
		    (!is_own && (reader->path == NULL || strcmp(reader->path, path) != 0)))
			continue;
		reader->place.behind += bytes;
		if (reader->request.follow &&
		    watch_set(&reader->watch, readers->epoll_fd, EPOLLOUT | EPOLLRDHUP) < 0)
			end_reader(readers, reader);
	}
}

void readers_note_rotated(struct readers *readers, const char *path, const struct archive *archive)
{
	struct reader *reader;

	/* Without memory for it, it is found in the directory; only one that is compressed before
	 * that is then taken for lost. */
	LIST_FOREACH (reader, &readers->list, link)
		if (reader->path != NULL && strcmp(reader->path, path) == 0)
			(void)archives_add(&reader->archives, archive);
}

void readers_note_specs(struct readers *readers)
{
	struct reader *reader;

	LIST_FOREACH (reader, &readers->list, link)
		if (!reader->is_dead && watch_set(&reader->watch, readers->epoll_fd, EPOLLOUT) < 0)
			end_reader(readers, reader);
}

void readers_sweep(struct readers *readers)
{
	struct reader *reader, *next;

	if (readers->dead == 0)
		return;
	LIST_FOREACH_SAFE(reader, &readers->list, link, next)
	{
		if (!reader->is_dead)
			continue;
		LIST_REMOVE(reader, link);
		free_reader(reader, readers->epoll_fd);
		readers->count--;
	}
	readers->dead = 0;
}

void readers_finish(struct readers *readers, const struct specs *specs)
{
	struct reader *reader;

	LIST_FOREACH (reader, &readers->list, link) {
		if (reader->is_dead)
			continue;
		if (reader->request.follow)
			reader->todo = reader->place.behind;
		reader->request.follow = 0;
		/* As far as it goes without waiting: a rest means that the connection is full. */
		while (run(reader, specs) == PROGRESS_MORE && reader->sent == reader->out.length)
			continue;
		end_reader(readers, reader);
	}
	readers_sweep(readers);
}

/* Say why not, in one message that always fits, and close.  `unknown`: the name that has no log. */
static void refuse(int conn, const struct readers *readers, const char *unknown)
{
	struct jsonw w;
	char reason[64];

	jsonw_init(&w, LIMIT_VARLINK_BYTES);
	if (unknown != NULL) {
		reply_write_no_such_program(&w, unknown);
	} else {
		(void)snprintf(
		    reason, sizeof(reason), "%u log readers are being served", readers->count);
		reply_write_busy(&w, reason);
	}
	if (jsonw_error(&w) == 0)
		(void)send(conn, w.data, w.length, MSG_NOSIGNAL | MSG_DONTWAIT);
	jsonw_done(&w);
	close(conn);
}

static struct reader *make_reader(const struct msg_read_log *request, int conn)
{
	struct reader *reader = calloc(1, sizeof(*reader));
	int flags = fcntl(conn, F_GETFL);

	if (reader == NULL || flags < 0 || fcntl(conn, F_SETFL, flags | O_NONBLOCK) < 0) {
		free(reader);
		return NULL;
	}
	reader->watch = (struct watch){.kind = WATCH_READER, .fd = conn};
	reader->request = *request;
	reader->request.follow = request->follow && request->more;
	reader->searching = true;
	/* One message cannot hold all there is: then the search ends by bytes. */
	reader->search.lines =
	    request->lines < UINT64_MAX || request->more ? request->lines : UINT64_MAX - 1;
	place_init(&reader->place);
	jsonw_init(&reader->out, LIMIT_VARLINK_BYTES);
	reader->raw = malloc(NOTE_BYTES + (request->more ? LIMIT_LOG_BLOCK : LIMIT_LOG_REPLY));
	if (reader->raw == NULL) {
		free(reader);
		return NULL;
	}
	return reader;
}

static void free_reader(struct reader *reader, int epoll_fd)
{
	watch_close(&reader->watch, epoll_fd);
	place_done(&reader->place);
	jsonw_done(&reader->out);
	archives_done(&reader->archives);
	free(reader->path);
	free(reader->raw);
	free(reader);
}

/* One piece of work: what is unsent, else a step of the search, else the next message. */
static enum progress run(struct reader *reader, const struct specs *specs)
{
	const struct logspec *spec = specs_find(specs, reader->request.row, reader->request.stream);
	enum progress progress = PROGRESS_MORE;

	if (reader->sent == reader->out.length) {
		if (reader->is_final)
			return PROGRESS_DONE;
		if (spec != NULL && follow_path(reader, spec) < 0)
			return PROGRESS_DONE;
		if (spec == NULL)
			answer_end(reader);
		else if (reader->searching)
			return search(reader);
		else if (reader->request.more)
			progress = answer_next(reader);
		else
			progress = answer_once(reader);
	}
	if (progress == PROGRESS_MORE && send_out(reader) < 0)
		return PROGRESS_DONE;
	if (reader->is_final && reader->sent == reader->out.length)
		return PROGRESS_DONE;
	return progress;
}

/* The log may be another file since the last apply. */
static int follow_path(struct reader *reader, const struct logspec *spec)
{
	char *path;

	if (reader->path != NULL && strcmp(reader->path, spec->path) == 0)
		return 0;
	path = strdup(spec->path);
	if (path == NULL)
		return -ENOMEM;
	archives_done(&reader->archives);
	free(reader->path);
	reader->path = path;
	archives_init(&reader->archives, path);
	return 0;
}

/* Find where to begin; until then nothing is sent. */
static enum progress search(struct reader *reader)
{
	bool all = reader->request.lines == UINT64_MAX && reader->request.more;
	uint64_t missing;
	int done;

	if (!reader->search.begun && reader->place.fd < 0) {
		reader->place.behind = 0;
		if (place_seek_end(
			&reader->place, &reader->archives, all ? UINT64_MAX : 0, &missing) < 0)
			return PROGRESS_DONE;
		if (all)
			reader->search.lines = 0;
	}
	done = place_search(&reader->place, &reader->archives, &reader->search);
	if (done < 0)
		return PROGRESS_DONE;
	if (!reader->request.more && reader->place.behind >= LIMIT_LOG_REPLY)
		done = 1;
	if (done) {
		reader->searching = false;
		reader->todo = reader->place.behind;
	}
	return PROGRESS_MORE;
}

/* All that was asked for in one message, the newest if it is too much. */
static enum progress answer_once(struct reader *reader)
{
	size_t length = 0, skip = 0;
	bool is_cut = reader->todo > LIMIT_LOG_REPLY;
	uint64_t missing;

	if (is_cut &&
	    place_seek_end(&reader->place, &reader->archives, LIMIT_LOG_REPLY, &missing) < 0)
		return PROGRESS_DONE;
	while (length < LIMIT_LOG_REPLY && length < reader->todo) {
		uint64_t want = reader->todo < LIMIT_LOG_REPLY ? reader->todo : LIMIT_LOG_REPLY;
		ssize_t got = place_read(&reader->place, &reader->archives, reader->raw + length,
		    (size_t)want - length, &missing);

		if (got < 0)
			return PROGRESS_DONE;
		if (got == 0)
			break;
		length += (size_t)got;
	}
	if (is_cut) {
		const char *newline = memchr(reader->raw, '\n', length);

		skip = newline != NULL ? (size_t)(newline - reader->raw) + 1 : 0;
	}
	reply_write_last_data(&reader->out, reader->raw + skip, length - skip);
	reader->sent = 0;
	reader->is_final = true;
	return PROGRESS_MORE;
}

/* The next block of several; the one that reaches the end of a read that does not follow is the
 * last. */
static enum progress answer_next(struct reader *reader)
{
	char *data = reader->raw + NOTE_BYTES;
	size_t size = LIMIT_LOG_BLOCK - NOTE_BYTES, used;
	bool follow = reader->request.follow;
	uint64_t lost = 0;
	ssize_t got = 0;

	if (!follow && reader->todo < size)
		size = (size_t)reader->todo;
	if (size > 0)
		got = place_read(&reader->place, &reader->archives, data, size, &lost);
	if (got < 0 || (got == 0 && follow))
		return got < 0 ? PROGRESS_DONE : PROGRESS_IDLE;
	reader->todo -= lost < reader->todo ? lost : reader->todo;
	reader->is_final = !follow && ((uint64_t)got >= reader->todo || got == 0);
	used = reader->is_final ? (size_t)got : reply_cut(data, (size_t)got, (size_t)got == size);
	if (used == 0 && !follow)
		used = (size_t)got;
	place_unread(&reader->place, (size_t)got - used);
	/* Half a character waits for its other half. */
	if (used == 0 && lost == 0 && !reader->is_final)
		return PROGRESS_IDLE;
	reader->todo -= used < reader->todo ? used : reader->todo;
	if (lost > 0) {
		char *note = write_note(data, lost);

		used += (size_t)(data - note);
		data = note;
	}
	reply_write_data(&reader->out, data, used, !reader->is_final);
	reader->sent = 0;
	return PROGRESS_MORE;
}

/* The log is no more. */
static void answer_end(struct reader *reader)
{
	reply_write_data(&reader->out, "", 0, false);
	reader->sent = 0;
	reader->is_final = true;
}

/* Put the note just before the data; returns where it begins. */
static char *write_note(char *data, uint64_t lost)
{
	char note[NOTE_BYTES];
	int length = snprintf(note, sizeof(note),
	    "[supervisord: %llu bytes were rotated away before they were read]\n",
	    (unsigned long long)lost);

	if (length < 0 || (size_t)length >= sizeof(note))
		return data;
	memcpy(data - length, note, (size_t)length);
	return data - length;
}

static int send_out(struct reader *reader)
{
	ssize_t count;

	if (jsonw_error(&reader->out) < 0)
		return jsonw_error(&reader->out);
	do
		count = send(reader->watch.fd, reader->out.data + reader->sent,
		    reader->out.length - reader->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (count < 0 && errno == EINTR);
	if (count < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -errno;
	reader->sent += (size_t)count;
	return 0;
}

static void end_reader(struct readers *readers, struct reader *reader)
{
	if (reader->is_dead)
		return;
	reader->is_dead = true;
	readers->dead++;
	watch_remove(&reader->watch, readers->epoll_fd);
}
