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
#include <sys/stat.h>
#include <unistd.h>

#include "lib/limits.h"
#include "lib/ownlog.h"
#include "supervisord/logger/reader.h"
#include "supervisord/logger/reply.h"

/* Room before the data for the note that some was lost. */
#define NOTE_BYTES 128

enum progress { PROGRESS_DONE, PROGRESS_IDLE, PROGRESS_MORE };

static void refuse(int conn, const struct readers *readers, const char *unknown);
static struct reader *make_reader(const struct msg_read_log *request, int conn);
static void free_reader(struct reader *reader, int epoll_fd);
static int set_path(struct reader *reader, const char *path);
static enum progress run(struct reader *reader, const struct specs *specs);
static enum progress work(struct reader *reader, const struct logspec *spec);
static enum progress begin(struct reader *reader);
static int seek(struct reader *reader);
static enum progress search(struct reader *reader);
static enum progress answer_once(struct reader *reader, const struct logspec *spec);
static enum progress answer_next(struct reader *reader, const struct logspec *spec);
static enum progress answer_end(struct reader *reader);
static ssize_t read_on(struct reader *reader, char *bytes, size_t size);
static void write_reply(
    struct reader *reader, const struct logspec *spec, const char *bytes, size_t length, bool lost);
static const char *get_format(const struct logspec *spec);
static char *write_note(char *data, enum place_loss loss);
static int send_out(struct reader *reader);
static void stop_following(struct reader *reader);
static void wake(struct readers *readers, struct reader *reader);
static void end_reader(struct readers *readers, struct reader *reader);

void readers_init(struct readers *readers, int epoll_fd)
{
	*readers = (struct readers){.epoll_fd = epoll_fd};
	LIST_INIT(&readers->list);
}

void readers_add_consume(struct readers *readers, const struct specs *specs,
    const struct msg_read_log *request, int conn)
{
	const struct logspec *spec = specs_find(specs, request->row, request->stream);
	struct reader *reader;
	char name[32];

	if (spec == NULL) {
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
	if (set_path(reader, spec->path) < 0 ||
	    watch_set(&reader->watch, readers->epoll_fd, EPOLLOUT) < 0)
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

void readers_note_written(struct readers *readers, uint32_t row, uint16_t stream, const char *path)
{
	struct reader *reader;

	LIST_FOREACH (reader, &readers->list, link) {
		bool is_own = reader->request.row == row && reader->request.stream == stream;

		if (reader->request.follow && !reader->is_dead &&
		    (is_own || strcmp(reader->path, path) == 0))
			wake(readers, reader);
	}
}

void readers_note_rotated(struct readers *readers, const char *path, const struct archive *archive)
{
	struct reader *reader;

	LIST_FOREACH (reader, &readers->list, link) {
		if (reader->is_dead || strcmp(reader->path, path) != 0)
			continue;
		place_note_rotated(&reader->place, archive);
		/* Without memory for it, it is found in the directory later. */
		(void)archives_add(&reader->archives, archive);
	}
}

void readers_note_removed(struct readers *readers, const char *path)
{
	struct reader *reader;

	LIST_FOREACH (reader, &readers->list, link)
		if (!reader->is_dead && strcmp(reader->path, path) == 0)
			place_note_removed(&reader->place);
}

void readers_note_cleared(struct readers *readers, const char *path)
{
	struct reader *reader;

	LIST_FOREACH (reader, &readers->list, link)
		if (!reader->is_dead && strcmp(reader->path, path) == 0)
			place_note_cleared(&reader->place);
}

void readers_note_released(struct readers *readers, uint32_t row, uint16_t stream)
{
	struct reader *reader;

	LIST_FOREACH (reader, &readers->list, link) {
		if (reader->is_dead || reader->request.row != row ||
		    reader->request.stream != stream)
			continue;
		if (reader->request.follow)
			stop_following(reader);
		wake(readers, reader);
	}
}

void readers_note_specs(struct readers *readers, const struct specs *specs)
{
	struct reader *reader;

	LIST_FOREACH (reader, &readers->list, link) {
		const struct logspec *spec =
		    specs_find(specs, reader->request.row, reader->request.stream);
		struct stat st;

		if (reader->is_dead)
			continue;
		if (spec != NULL && strcmp(spec->path, reader->path) != 0) {
			place_note_moved(
			    &reader->place, stat(spec->path, &st) == 0 ? (uint64_t)st.st_size : 0);
			if (set_path(reader, spec->path) < 0) {
				end_reader(readers, reader);
				continue;
			}
		}
		wake(readers, reader);
	}
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
			stop_following(reader);
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
	reader->request.from[sizeof(reader->request.from) - 1] = '\0';
	place_init(&reader->place);
	jsonw_init(&reader->out, LIMIT_VARLINK_BYTES);
	reader->raw = malloc(NOTE_BYTES + LIMIT_LOG_BLOCK + (request->more ? 0 : LIMIT_LOG_REPLY));
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

static int set_path(struct reader *reader, const char *path)
{
	char *copy = strdup(path);

	if (copy == NULL)
		return -ENOMEM;
	archives_done(&reader->archives);
	free(reader->path);
	reader->path = copy;
	archives_init(&reader->archives, copy);
	return 0;
}

/* One piece of work: what is unsent, else the next step. */
static enum progress run(struct reader *reader, const struct specs *specs)
{
	const struct logspec *spec = specs_find(specs, reader->request.row, reader->request.stream);
	enum progress progress = PROGRESS_MORE;

	if (reader->sent == reader->out.length) {
		if (reader->is_final)
			return PROGRESS_DONE;
		progress = work(reader, spec);
		if (progress == PROGRESS_DONE)
			return PROGRESS_DONE;
	}
	if (reader->sent < reader->out.length && send_out(reader) < 0)
		return PROGRESS_DONE;
	if (reader->is_final && reader->sent == reader->out.length)
		return PROGRESS_DONE;
	return progress;
}

static enum progress work(struct reader *reader, const struct logspec *spec)
{
	if (spec == NULL)
		return answer_end(reader);
	switch (reader->stage) {
	case READER_NEW:
		return begin(reader);
	case READER_SEARCHES:
		return search(reader);
	case READER_READS:
		return reader->request.more ? answer_next(reader, spec) : answer_once(reader, spec);
	}
	return PROGRESS_DONE;
}

static enum progress begin(struct reader *reader)
{
	int error = seek(reader);

	if (error == -EINVAL) {
		reply_write_invalid_parameter(&reader->out, "from");
		reader->is_final = true;
		return PROGRESS_MORE;
	}
	if (error == 0)
		error = place_find_end(&reader->archives, &reader->end);
	if (error < 0) {
		log_warning("%s: cannot be read: %s", reader->path, strerror(-error));
		reply_write_busy(&reader->out, strerror(-error));
		reader->is_final = true;
	}
	return PROGRESS_MORE;
}

/* Where the request begins, or where the search for it does. */
static int seek(struct reader *reader)
{
	const struct msg_read_log *request = &reader->request;
	struct archives *archives = &reader->archives;

	reader->stage = READER_READS;
	if (request->from[0] != '\0')
		return place_seek_text(&reader->place, archives, request->from, &reader->loss);
	if (request->since_ns != 0)
		return place_seek_time(&reader->place, archives, request->since_ns / 1000);
	/* One message cannot hold all there is: then the search ends by bytes. */
	if (request->lines == UINT64_MAX && request->more)
		return place_seek_oldest(&reader->place, archives);
	reader->stage = READER_SEARCHES;
	reader->search.lines = request->lines < UINT64_MAX ? request->lines : UINT64_MAX - 1;
	return place_seek_end(&reader->place, archives);
}

/* Find where to begin; until then nothing is sent. */
static enum progress search(struct reader *reader)
{
	int done = line_search_step(&reader->search, &reader->place, &reader->archives);

	if (done < 0)
		return PROGRESS_DONE;
	if (!reader->request.more && reader->search.phase == SEARCH_BACK &&
	    reader->search.passed >= LIMIT_LOG_REPLY)
		done = 1;
	if (done)
		reader->stage = READER_READS;
	return PROGRESS_MORE;
}

/* All that was asked for in one message, the newest if it is too much. */
static enum progress answer_once(struct reader *reader, const struct logspec *spec)
{
	size_t skip = 0;
	ssize_t got;

	if (reader->length > LIMIT_LOG_REPLY) {
		reader->is_cut = true;
		memmove(
		    reader->raw, reader->raw + reader->length - LIMIT_LOG_REPLY, LIMIT_LOG_REPLY);
		reader->length = LIMIT_LOG_REPLY;
	}
	got = read_on(reader, reader->raw + reader->length, LIMIT_LOG_BLOCK);
	if (got == -EAGAIN)
		return PROGRESS_MORE;
	if (got < 0)
		return PROGRESS_DONE;
	reader->length += (size_t)got;
	if (got > 0)
		return PROGRESS_MORE;
	if (reader->length > LIMIT_LOG_REPLY) {
		skip = reader->length - LIMIT_LOG_REPLY;
		reader->is_cut = true;
	}
	if (reader->is_cut) {
		const char *newline = memchr(reader->raw + skip, '\n', reader->length - skip);

		if (newline != NULL)
			skip = (size_t)(newline - reader->raw) + 1;
	}
	reader->is_final = true;
	write_reply(reader, spec, reader->raw + skip, reader->length - skip,
	    reader->loss != PLACE_LOST_NOTHING);
	return PROGRESS_MORE;
}

/* The next block of several; the one that reaches the end of a read that does not follow is the
 * last. */
static enum progress answer_next(struct reader *reader, const struct logspec *spec)
{
	char *data = reader->raw + NOTE_BYTES;
	size_t size = LIMIT_LOG_BLOCK, used;
	bool follow = reader->request.follow, lost;
	ssize_t got = read_on(reader, data, size);

	if (got == -EAGAIN)
		return PROGRESS_MORE;
	if (got < 0 || (got == 0 && follow))
		return got < 0 ? PROGRESS_DONE : PROGRESS_IDLE;
	used = reply_cut(data, (size_t)got, (size_t)got == size);
	if (!follow && (used == 0 || place_count_to(&reader->place, &reader->end) == 0)) {
		/* Nothing will come to complete it. */
		reader->is_final = got == 0 || place_count_to(&reader->place, &reader->end) == 0;
		used = (size_t)got;
	}
	place_unread(&reader->place, (size_t)got - used);
	lost = reader->loss != PLACE_LOST_NOTHING;
	/* Half a character waits for its other half. */
	if (used == 0 && !lost && !reader->is_final)
		return PROGRESS_IDLE;
	if (lost) {
		char *note = write_note(data, reader->loss);

		used += (size_t)(data - note);
		data = note;
		reader->loss = PLACE_LOST_NOTHING;
	}
	write_reply(reader, spec, data, used, lost);
	return PROGRESS_MORE;
}

/* The log is no more. */
static enum progress answer_end(struct reader *reader)
{
	static const struct logspec none;

	reader->is_final = true;
	write_reply(reader, &none, "", 0, false);
	return PROGRESS_MORE;
}

/* As place_read(), up to the end of the request.  What was lost is kept until it is told. */
static ssize_t read_on(struct reader *reader, char *bytes, size_t size)
{
	enum place_loss loss;
	ssize_t got;

	if (!reader->request.follow) {
		uint64_t left = place_count_to(&reader->place, &reader->end);

		if (left < size)
			size = (size_t)left;
		if (size == 0)
			return 0;
	}
	got = place_read(&reader->place, &reader->archives, bytes, size, &loss);
	if (loss != PLACE_LOST_NOTHING)
		reader->loss = loss;
	return got;
}

static void write_reply(
    struct reader *reader, const struct logspec *spec, const char *bytes, size_t length, bool lost)
{
	char next[LIMIT_LOG_PLACE];
	const struct reply reply = {
	    .bytes = bytes,
	    .length = length,
	    .format = get_format(spec),
	    .next = place_format(&reader->place, next, sizeof(next)),
	    .lost = lost,
	    .continues = !reader->is_final,
	};

	if (reader->request.more)
		reply_write(&reader->out, &reply);
	else
		reply_write_last(&reader->out, &reply);
	reader->sent = 0;
}

static const char *get_format(const struct logspec *spec)
{
	static const char *const formats[] = {
	    [LOGSPEC_RAW] = "raw",
	    [LOGSPEC_STAMP] = "stamp",
	    [LOGSPEC_JSON] = "json",
	    [LOGSPEC_PREFIX] = "raw",
	};

	return spec->row == LOGSPEC_ROW_OWN ? "own" : formats[spec->format];
}

/* Put the note just before the data; returns where it begins. */
static char *write_note(char *data, enum place_loss loss)
{
	static const char *const notes[] = {
	    [PLACE_LOST_NOTHING] = "",
	    [PLACE_LOST_ROTATED] =
		"[supervisord: lines are missing here: removed before they were read]\n",
	    [PLACE_LOST_DAMAGED] = "[supervisord: lines are missing here: an archive is damaged]\n",
	    [PLACE_LOST_UNSURE] = "[supervisord: lines may be missing here, or come twice]\n",
	};
	size_t length = strlen(notes[loss]);

	memcpy(data - length, notes[loss], length);
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

/* Up to what is there now. */
static void stop_following(struct reader *reader)
{
	reader->request.follow = 0;
	if (place_find_end(&reader->archives, &reader->end) < 0)
		reader->end = (struct place_end){0};
}

static void wake(struct readers *readers, struct reader *reader)
{
	uint32_t wanted = EPOLLOUT | (reader->request.follow ? EPOLLRDHUP : 0);

	if (watch_set(&reader->watch, readers->epoll_fd, wanted) < 0)
		end_reader(readers, reader);
}

static void end_reader(struct readers *readers, struct reader *reader)
{
	if (reader->is_dead)
		return;
	reader->is_dead = true;
	readers->dead++;
	watch_remove(&reader->watch, readers->epoll_fd);
}
