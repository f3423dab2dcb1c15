/* SPDX-License-Identifier: ISC */
/* readout.c: see readout.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "lib/limits.h"
#include "lib/ownlog.h"
#include "supervisord/logger/reader.h"
#include "supervisord/logger/readout.h"
#include "supervisord/logger/timesearch.h"
#include "supervisord/logger/reply.h"
#include "supervisord/logger/streams.h"

/* Room before the data for the note that some was lost. */
#define NOTE_BYTES 128

static enum readout work(struct reader *reader, const struct logspec *spec);
static enum readout begin(struct reader *reader, const struct logspec *spec);
static int seek(struct reader *reader, const struct logspec *spec);
static int seek_time(struct reader *reader, const struct logspec *spec);
static enum readout search(struct reader *reader);
static enum readout answer_once(struct reader *reader, const struct logspec *spec);
static enum readout answer_next(struct reader *reader, const struct logspec *spec);
static size_t cut(const struct logspec *spec, const char *data, size_t length, bool is_full);
static enum readout answer_ring(struct reader *reader, const struct logspec *spec);
static int seek_ring(struct reader *reader, const struct ring *ring);
static bool read_ring(
    struct reader *reader, const struct ring *ring, const struct logspec *spec, struct jsonw *text);
static enum readout answer_end(struct reader *reader);
static ssize_t read_on(struct reader *reader, char *bytes, size_t size);
static void write_reply(
    struct reader *reader, const struct logspec *spec, const char *bytes, size_t length, bool lost);
static bool is_in_memory(const struct logspec *spec);
static const char *get_format(const struct logspec *spec);
static char *write_note(char *data, enum place_loss loss);
static int send_out(struct reader *reader);

struct reader *readout_new(const struct msg_read_log *request, int conn)
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

void readout_free(struct reader *reader, int epoll_fd)
{
	watch_close(&reader->watch, epoll_fd);
	place_done(&reader->place);
	jsonw_done(&reader->out);
	archives_done(&reader->archives);
	free(reader->path);
	free(reader->raw);
	free(reader);
}

int readout_set_path(struct reader *reader, const char *path)
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
enum readout readout_run(struct reader *reader, const struct specs *specs)
{
	const struct logspec *spec = specs_find(specs, reader->request.row, reader->request.stream);
	enum readout progress = READOUT_MORE;

	if (reader->sent == reader->out.length) {
		if (reader->is_final)
			return READOUT_DONE;
		progress = work(reader, spec);
		if (progress == READOUT_DONE)
			return READOUT_DONE;
	}
	if (reader->sent < reader->out.length && send_out(reader) < 0)
		return READOUT_DONE;
	if (reader->is_final && reader->sent == reader->out.length)
		return READOUT_DONE;
	return progress;
}

/* Up to what is there now. */
void readout_stop(struct reader *reader)
{
	reader->request.follow = 0;
	if (reader->path[0] == '\0')
		return;
	if (place_find_end(&reader->archives, &reader->end) < 0)
		reader->end = (struct place_end){0};
}

static enum readout work(struct reader *reader, const struct logspec *spec)
{
	if (spec == NULL)
		return answer_end(reader);
	if (is_in_memory(spec))
		return answer_ring(reader, spec);
	switch (reader->stage) {
	case READER_NEW:
		return begin(reader, spec);
	case READER_SEARCHES:
		return search(reader);
	case READER_READS:
		return reader->request.more ? answer_next(reader, spec) : answer_once(reader, spec);
	}
	return READOUT_DONE;
}

static enum readout begin(struct reader *reader, const struct logspec *spec)
{
	int error = seek(reader, spec);

	if (error == -EINVAL) {
		reply_write_invalid_parameter(&reader->out, "from");
		reader->is_final = true;
		return READOUT_MORE;
	}
	if (error == 0)
		error = place_find_end(&reader->archives, &reader->end);
	if (error < 0) {
		log_warning("%s: cannot be read: %s", reader->path, strerror(-error));
		reply_write_busy(&reader->out, strerror(-error));
		reader->is_final = true;
	}
	return READOUT_MORE;
}

/* Where the request begins, or where the search for it does. */
static int seek(struct reader *reader, const struct logspec *spec)
{
	const struct msg_read_log *request = &reader->request;
	struct archives *archives = &reader->archives;

	reader->stage = READER_READS;
	if (request->from[0] != '\0')
		return place_seek_text(&reader->place, archives, request->from, &reader->loss);
	if (request->since_ns != 0)
		return seek_time(reader, spec);
	/* One message cannot hold all there is: then the search ends by bytes. */
	if (request->lines == UINT64_MAX && request->more)
		return place_seek_oldest(&reader->place, archives);
	reader->stage = READER_SEARCHES;
	reader->search.lines = request->lines < UINT64_MAX ? request->lines : UINT64_MAX - 1;
	return place_seek_end(&reader->place, archives);
}

/* In the file in which that time is, the line; who reads passes over the few before it. */
static int seek_time(struct reader *reader, const struct logspec *spec)
{
	struct place *place = &reader->place;
	int64_t since_ns = reader->request.since_ns;
	struct stat st;
	int error = place_seek_time(place, &reader->archives, since_ns / 1000);

	if (error < 0 || place->fd < 0 || place->unpack != NULL || place->offset > 0 ||
	    (spec->format != LOGSPEC_STAMP && spec->format != LOGSPEC_JSON))
		return error;
	if (fstat(place->fd, &st) < 0)
		return -errno;
	return time_search(place->fd, (uint64_t)st.st_size, since_ns, &place->offset);
}

/* Find where to begin; until then nothing is sent. */
static enum readout search(struct reader *reader)
{
	int done = line_search_step(&reader->search, &reader->place, &reader->archives);

	if (done < 0)
		return READOUT_DONE;
	if (!reader->request.more && reader->search.phase == SEARCH_BACK &&
	    reader->search.passed >= LIMIT_LOG_REPLY)
		done = 1;
	if (done)
		reader->stage = READER_READS;
	return READOUT_MORE;
}

/* All that was asked for in one message, the newest if it is too much. */
static enum readout answer_once(struct reader *reader, const struct logspec *spec)
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
		return READOUT_MORE;
	if (got < 0)
		return READOUT_DONE;
	reader->length += (size_t)got;
	if (got > 0)
		return READOUT_MORE;
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
	return READOUT_MORE;
}

/* The next block of several; the one that reaches the end of a read that does not follow is the
 * last. */
static enum readout answer_next(struct reader *reader, const struct logspec *spec)
{
	char *data = reader->raw + NOTE_BYTES;
	size_t size = LIMIT_LOG_BLOCK, used;
	bool follow = reader->request.follow, lost;
	ssize_t got = read_on(reader, data, size);

	if (got == -EAGAIN)
		return READOUT_MORE;
	if (got < 0 || (got == 0 && follow))
		return got < 0 ? READOUT_DONE : READOUT_IDLE;
	used = cut(spec, data, (size_t)got, (size_t)got == size);
	if (!follow && (used == 0 || place_count_to(&reader->place, &reader->end) == 0)) {
		/* Nothing will come to complete it. */
		reader->is_final = got == 0 || place_count_to(&reader->place, &reader->end) == 0;
		used = (size_t)got;
	}
	place_unread(&reader->place, (size_t)got - used);
	lost = reader->loss != PLACE_LOST_NOTHING;
	/* Half a character waits for its other half. */
	if (used == 0 && !lost && !reader->is_final)
		return READOUT_IDLE;
	if (lost) {
		char *note = write_note(data, reader->loss);

		used += (size_t)(data - note);
		data = note;
		reader->loss = PLACE_LOST_NOTHING;
	}
	write_reply(reader, spec, data, used, lost);
	return READOUT_MORE;
}

/*
 * As reply_cut().  Of lines that the logger has made, whole ones only: what a killed logger has
 * left of one is taken back by the next.
 */
static size_t cut(const struct logspec *spec, const char *data, size_t length, bool is_full)
{
	const char *newline;

	if (spec->format == LOGSPEC_RAW || is_full)
		return reply_cut(data, length, is_full);
	newline = memrchr(data, '\n', length);
	return newline != NULL ? (size_t)(newline - data) + 1 : 0;
}

/* The lines of a stream that is only in memory: a block of them, or all in one reply. */
static enum readout answer_ring(struct reader *reader, const struct logspec *spec)
{
	const struct ring *ring =
	    streams_find_ring(reader->owner->streams, reader->request.row, reader->request.stream);
	bool follow = reader->request.follow, lost, more = false;
	struct jsonw text;

	/* It has not begun: when it does, all of it is news. */
	if (ring == NULL && follow) {
		reader->request.lines = UINT64_MAX;
		return READOUT_IDLE;
	}
	if (reader->stage == READER_NEW && ring != NULL && seek_ring(reader, ring) < 0) {
		reply_write_invalid_parameter(&reader->out, "from");
		reader->is_final = true;
		return READOUT_MORE;
	}
	jsonw_init(&text, LIMIT_VARLINK_BYTES);
	if (ring != NULL)
		more = read_ring(reader, ring, spec, &text);
	lost = reader->loss != PLACE_LOST_NOTHING;
	if (follow && text.length == 0 && !lost) {
		jsonw_done(&text);
		return READOUT_IDLE;
	}
	reader->is_final = !follow && !more;
	reader->loss = PLACE_LOST_NOTHING;
	write_reply(reader, spec, text.data != NULL ? text.data : "", text.length, lost);
	jsonw_done(&text);
	return READOUT_MORE;
}

static int seek_ring(struct reader *reader, const struct ring *ring)
{
	const struct msg_read_log *request = &reader->request;

	reader->stage = READER_READS;
	reader->ring_end = request->follow ? UINT64_MAX : ring->end;
	if (request->from[0] != '\0')
		return ringplace_seek_text(
		    &reader->ring, ring, reader->owner->life, request->from, &reader->loss);
	if (request->since_ns != 0)
		ringplace_seek_time(&reader->ring, ring, request->since_ns);
	else
		ringplace_seek_lines(&reader->ring, ring, request->lines);
	return 0;
}

/* Returns whether there is more.  The note of a loss stands first. */
static bool read_ring(
    struct reader *reader, const struct ring *ring, const struct logspec *spec, struct jsonw *text)
{
	char note[NOTE_BYTES];
	struct jsonw lines;
	bool more = true;

	jsonw_init(&lines, LIMIT_VARLINK_BYTES);
	while (more && (!reader->request.more || lines.length < LIMIT_LOG_BLOCK))
		more = ringplace_read(&reader->ring, ring, reader->ring_end, spec->name,
		    reader->request.stream, &lines, &reader->loss);
	if (reader->loss != PLACE_LOST_NOTHING) {
		const char *at = write_note(note + sizeof(note), reader->loss);

		jsonw_raw(text, at, (size_t)(note + sizeof(note) - at));
	}
	jsonw_raw(text, lines.data, lines.length);
	jsonw_done(&lines);
	return more;
}

/* The log is no more. */
static enum readout answer_end(struct reader *reader)
{
	static const struct logspec none;

	reader->is_final = true;
	write_reply(reader, &none, "", 0, false);
	return READOUT_MORE;
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
	bool in_memory = is_in_memory(spec);
	const struct reply reply = {
	    .bytes = bytes,
	    .length = length,
	    .format = in_memory ? "stamp" : get_format(spec),
	    .next = in_memory
			? ringplace_format(&reader->ring, reader->owner->life, next, sizeof(next))
			: place_format(&reader->place, next, sizeof(next)),
	    .lost = lost,
	    .continues = !reader->is_final,
	};

	if (reader->request.more)
		reply_write(&reader->out, &reply);
	else
		reply_write_last(&reader->out, &reply);
	reader->sent = 0;
}

/* It goes elsewhere than to a file of ours. */
static bool is_in_memory(const struct logspec *spec)
{
	return spec->path != NULL && spec->path[0] == '\0';
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
