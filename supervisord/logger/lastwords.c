/* SPDX-License-Identifier: ISC */
/* lastwords.c: see lastwords.h. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/jsonr.h"
#include "supervisord/logger/lastwords.h"

/* What is looked at of the end of a log; and tries to write down what is in the pipe before. */
#define LOOK  4096
#define TRIES 4

/* The end of something, with room for one more piece of a record. */
struct tail {
	char text[LOOK];
	size_t length;
	bool is_cut; /* the first line may be the rest of one */
};

/* Who is asked about. */
struct query {
	const char *name;
	uint64_t run;
	uint16_t number;
};

static struct stream *find(const struct streams *streams, uint32_t row, uint16_t number);
static struct stream *settle(struct streams *streams, uint32_t row, uint16_t number);
static void read_ring(const struct ring *ring, uint64_t run, struct tail *tail);
static void read_file(
    const struct stream *stream, const struct query *query, bool is_last, struct tail *tail);
static void read_end(int fd, uint64_t skip, uint64_t most, struct tail *tail);
static void keep_lines(struct tail *tail, const struct query *query, enum logspec_format format);
static bool take_stamped(
    char *line, const struct query *query, const char **ret_text, size_t *ret_length);
static bool take_json(struct jsonr *json, char *line, size_t length, const struct query *query,
    const char **ret_text, size_t *ret_length);
static void add(struct tail *tail, const char *text, size_t length);
static size_t last_lines(const struct tail *tail, char *text, size_t size);

void lastwords_note(struct stream *stream, const struct ledger *ledger, size_t moved)
{
	uint64_t run;

	if (moved == 0 || ledger == NULL || stream->row >= LIMIT_ROWS || stream->file == NULL)
		return;
	run = atomic_load_explicit(&ledger->table[stream->row].run, memory_order_acquire);
	if (stream->shares[0].run != run) {
		stream->shares[1] = stream->shares[0];
		stream->shares[0] = (struct stream_share){.run = run};
	}
	stream->shares[0].bytes += moved;
}

size_t lastwords_get(
    struct streams *streams, uint32_t row, uint16_t number, uint64_t run, char *text, size_t size)
{
	const struct ledger *ledger = streams->copier.ledger;
	struct stream *stream = settle(streams, row, number);
	struct tail tail = {.length = 0};
	struct query query = {.run = run, .number = number};
	bool is_last;

	if (stream == NULL || stream->spec == NULL || ledger == NULL || row >= LIMIT_ROWS)
		return 0;
	query.name = stream->spec->name;
	is_last = atomic_load(&ledger->table[row].run) == run;
	if (stream->copy != NULL && stream->copy->ring != NULL)
		read_ring(stream->copy->ring, run, &tail);
	else if (stream->file != NULL && stream->file->fd >= 0)
		read_file(stream, &query, is_last, &tail);
	return last_lines(&tail, text, size);
}

/* NULL: there is none, or none any more. */
static struct stream *settle(struct streams *streams, uint32_t row, uint16_t number)
{
	struct stream *stream = find(streams, row, number);

	for (int i = 0; i < TRIES && stream != NULL && stream_count_waiting(stream) > 0; i++) {
		streams_run(streams, stream);
		stream = find(streams, row, number);
	}
	return stream;
}

static struct stream *find(const struct streams *streams, uint32_t row, uint16_t number)
{
	struct stream *stream;

	LIST_FOREACH (stream, &streams->list, link)
		if (stream->row == row && stream->number == number && !stream->released)
			return stream;
	return NULL;
}

static void read_ring(const struct ring *ring, uint64_t run, struct tail *tail)
{
	char text[RING_RECORD_MAX];
	struct ring_record record;
	uint64_t position = ring->begin;
	bool lost;

	while (ring_read(ring, position, &record, text, &lost)) {
		if (record.run == run)
			add(tail, text, record.length);
		position = record.next;
	}
}

static void read_file(
    const struct stream *stream, const struct query *query, bool is_last, struct tail *tail)
{
	const struct stream_share *shares = stream->shares;
	int fd = stream->file->fd;

	if (stream->spec->format != LOGSPEC_RAW) {
		read_end(fd, 0, UINT64_MAX, tail);
		keep_lines(tail, query, stream->spec->format);
	} else if (stream->file->user_count > 1) {
		return;
	} else if (shares[0].run == query->run) {
		read_end(fd, 0, shares[0].bytes, tail);
	} else if (shares[1].run == query->run && query->run != 0) {
		read_end(fd, shares[0].bytes, shares[1].bytes, tail);
	} else if (shares[0].run == 0 && is_last) {
		read_end(fd, 0, UINT64_MAX, tail);
	}
}

/* The last of `most` bytes before the last `skip`. */
static void read_end(int fd, uint64_t skip, uint64_t most, struct tail *tail)
{
	struct stat st;
	uint64_t size, begin;
	ssize_t got;

	if (fstat(fd, &st) < 0 || (uint64_t)st.st_size <= skip)
		return; /* it was rotated since */
	size = (uint64_t)st.st_size - skip;
	begin = most < size ? size - most : 0;
	tail->is_cut = most == UINT64_MAX && size > LOOK;
	if (size - begin > LOOK) {
		begin = size - LOOK;
		tail->is_cut = true;
	}
	got = pread(fd, tail->text, size - begin, (off_t)begin);
	tail->length = got > 0 ? (size_t)got : 0;
}

/* Of lines that say whose they are, the text of those that are meant. */
static void keep_lines(struct tail *tail, const struct query *query, enum logspec_format format)
{
	struct tail all = *tail;
	struct jsonr json;
	size_t at = 0;

	*tail = (struct tail){.length = 0};
	jsonr_init(&json);
	while (at < all.length) {
		char *line = all.text + at, *end = memchr(line, '\n', all.length - at);
		size_t length = end != NULL ? (size_t)(end - line) : 0;
		const char *text;

		if (end == NULL)
			break;
		*end = '\0';
		at += length + 1;
		if (format == LOGSPEC_JSON ? take_json(&json, line, length, query, &text, &length)
					   : take_stamped(line, query, &text, &length)) {
			add(tail, text, length);
			add(tail, "\n", 1);
		}
	}
	jsonr_done(&json);
}

/* "TIME NAME RUN STREAM TEXT"; false: it is not one of them. */
static bool take_stamped(
    char *line, const struct query *query, const char **ret_text, size_t *ret_length)
{
	const char *words[4];
	char run[24];

	for (int i = 0; i < 4; i++) {
		words[i] = strsep(&line, " ");
		if (line == NULL)
			return false;
	}
	(void)snprintf(run, sizeof(run), "%" PRIu64, query->run);
	if (strcmp(words[1], query->name) != 0 || strcmp(words[2], run) != 0 ||
	    strncmp(words[3], query->number == 0 ? "out" : "err", 3) != 0)
		return false;
	*ret_text = line;
	*ret_length = strlen(line);
	return true;
}

static bool take_json(struct jsonr *json, char *line, size_t length, const struct query *query,
    const char **ret_text, size_t *ret_length)
{
	const char *stream;

	if (jsonr_parse(json, line, length, 2) < 0 ||
	    (uint64_t)jsonr_int(json, jsonr_member(json, JSONR_ROOT, "run"), -1) != query->run ||
	    strcmp(jsonr_text(json, jsonr_member(json, JSONR_ROOT, "name"), ""), query->name) != 0)
		return false;
	stream = jsonr_text(json, jsonr_member(json, JSONR_ROOT, "stream"), "");
	if (strcmp(stream, query->number == 0 ? "out" : "err") != 0)
		return false;
	*ret_text = jsonr_bytes(json, jsonr_member(json, JSONR_ROOT, "text"), ret_length);
	return *ret_text != NULL;
}

/* What is too much goes at the front. */
static void add(struct tail *tail, const char *text, size_t length)
{
	size_t drop;

	if (length > LOOK) {
		text += length - LOOK;
		length = LOOK;
	}
	drop = tail->length + length > LOOK ? tail->length + length - LOOK : 0;
	if (drop > 0) {
		memmove(tail->text, tail->text + drop, tail->length - drop);
		tail->length -= drop;
		tail->is_cut = true;
	}
	memcpy(tail->text + tail->length, text, length);
	tail->length += length;
}

static size_t last_lines(const struct tail *tail, char *text, size_t size)
{
	static const char mark[] = "...";
	size_t length = tail->length, begin, found;

	/* The newline at the end ends the last line, and begins none. */
	while (length > 0 && tail->text[length - 1] == '\n')
		length--;
	begin = found = length;
	while (begin > 0 && length - begin < size) {
		begin--;
		if (begin == 0 ? !tail->is_cut || tail->text[0] == '\n'
			       : tail->text[begin - 1] == '\n')
			found = begin;
	}
	if (found < length) {
		memcpy(text, tail->text + found, length - found);
		return length - found;
	}
	if (length == 0)
		return 0;
	/* One line that is too long: how it began is not always there, how it ended is. */
	if (length > size - (sizeof(mark) - 1)) {
		size_t kept = size - (sizeof(mark) - 1);

		memcpy(text, mark, sizeof(mark) - 1);
		memcpy(text + sizeof(mark) - 1, tail->text + length - kept, kept);
		return size;
	}
	memcpy(text, tail->text, length);
	return length;
}
