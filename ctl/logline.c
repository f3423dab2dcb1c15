/* SPDX-License-Identifier: ISC */
/* logline.c: see logline.h. */
#include <stdlib.h>
#include <string.h>

#include "lib/limits.h"
#include "lib/timestamp.h"
#include "ctl/logline.h"

/* Words of a line in the stamp format before its text. */
enum { WORD_TIME, WORD_NAME, WORD_RUN, WORD_STREAM, WORD_COUNT };

struct span {
	const char *at;
	size_t length;
};

static bool read_stamp(struct logline *line);
static bool read_own(struct logline *line);
static bool read_json(struct logline_reader *reader, struct logline *line);
static bool take_word(struct span *rest, struct span *ret_word);
static bool set_time(struct logline *line, const char *text, size_t length);
static bool set_run(struct logline *line, const char *digits, size_t length);
static bool set_stream(struct logline *line, const char *text, size_t length);

enum logline_format logline_format_of(const char *text)
{
	if (strcmp(text, "own") == 0)
		return LOGLINE_OWN;
	if (strcmp(text, "stamp") == 0)
		return LOGLINE_STAMP;
	return strcmp(text, "json") == 0 ? LOGLINE_JSON : LOGLINE_RAW;
}

bool logline_has_time(enum logline_format format)
{
	return format != LOGLINE_RAW;
}

bool logline_has_name(enum logline_format format)
{
	return format == LOGLINE_STAMP || format == LOGLINE_JSON;
}

void logline_reader_init(struct logline_reader *reader)
{
	*reader = (struct logline_reader){0};
	jsonr_init(&reader->json);
}

void logline_reader_done(struct logline_reader *reader)
{
	jsonr_done(&reader->json);
	free(reader->copy);
	reader->copy = NULL;
	reader->size = 0;
}

void logline_read(struct logline_reader *reader, enum logline_format format, const char *bytes,
    size_t length, struct logline *ret_line)
{
	const struct logline raw = {
	    .whole = bytes,
	    .whole_length = length,
	    .text = bytes,
	    .text_length = length,
	    .time_ns = LOGLINE_NO_TIME,
	    .run = -1,
	};
	bool understood = true;

	*ret_line = raw;
	switch (format) {
	case LOGLINE_RAW:
		break;
	case LOGLINE_OWN:
		understood = read_own(ret_line);
		break;
	case LOGLINE_STAMP:
		understood = read_stamp(ret_line);
		break;
	case LOGLINE_JSON:
		understood = read_json(reader, ret_line);
		break;
	}
	if (!understood)
		*ret_line = raw;
}

/* "TIME NAME RUN STREAM TEXT"; the text may be empty. */
static bool read_stamp(struct logline *line)
{
	struct span rest = {line->whole, line->whole_length};
	struct span words[WORD_COUNT];

	for (size_t i = 0; i < WORD_COUNT; i++)
		if (!take_word(&rest, &words[i]))
			return false;
	line->name = words[WORD_NAME].at;
	line->name_length = words[WORD_NAME].length;
	line->text = rest.at;
	line->text_length = rest.length;
	return line->name_length < LIMIT_NAME &&
	       set_time(line, words[WORD_TIME].at, words[WORD_TIME].length) &&
	       set_run(line, words[WORD_RUN].at, words[WORD_RUN].length) &&
	       set_stream(line, words[WORD_STREAM].at, words[WORD_STREAM].length);
}

/* "TIME TEXT" */
static bool read_own(struct logline *line)
{
	struct span rest = {line->whole, line->whole_length};
	struct span word;

	if (!take_word(&rest, &word) || !set_time(line, word.at, word.length))
		return false;
	line->text = rest.at;
	line->text_length = rest.length;
	line->stream = "log";
	return true;
}

static bool read_json(struct logline_reader *reader, struct logline *line)
{
	struct jsonr *json = &reader->json;
	const char *time, *stream;
	size_t time_length = 0, stream_length = 0;

	if (line->whole_length == 0 || line->whole[0] != '{')
		return false;
	if (line->whole_length > reader->size) {
		char *copy = realloc(reader->copy, line->whole_length);

		if (copy == NULL)
			return false;
		reader->copy = copy;
		reader->size = line->whole_length;
	}
	memcpy(reader->copy, line->whole, line->whole_length);
	if (jsonr_parse(json, reader->copy, line->whole_length, LIMIT_VARLINK_DEPTH) < 0 ||
	    !jsonr_is(json, JSONR_ROOT, JSONR_OBJECT))
		return false;
	time = jsonr_bytes(json, jsonr_member(json, JSONR_ROOT, "time"), &time_length);
	stream = jsonr_bytes(json, jsonr_member(json, JSONR_ROOT, "stream"), &stream_length);
	line->text = jsonr_bytes(json, jsonr_member(json, JSONR_ROOT, "text"), &line->text_length);
	line->name = jsonr_bytes(json, jsonr_member(json, JSONR_ROOT, "name"), &line->name_length);
	line->run = jsonr_int(json, jsonr_member(json, JSONR_ROOT, "run"), -1);
	if (time == NULL || stream == NULL || line->text == NULL ||
	    !set_time(line, time, time_length) || !set_stream(line, stream, stream_length))
		return false;
	line->partial = jsonr_bool(json, jsonr_member(json, JSONR_ROOT, "partial"), line->partial);
	return true;
}

/* Up to the next blank, which is taken too; at the end of the line, all of it. */
static bool take_word(struct span *rest, struct span *ret_word)
{
	const char *blank = memchr(rest->at, ' ', rest->length);
	size_t length = blank != NULL ? (size_t)(blank - rest->at) : rest->length;
	size_t took = blank != NULL ? length + 1 : length;

	if (length == 0)
		return false;
	*ret_word = (struct span){rest->at, length};
	*rest = (struct span){rest->at + took, rest->length - took};
	return true;
}

static bool set_time(struct logline *line, const char *text, size_t length)
{
	line->time = text;
	line->time_length = length;
	return timestamp_parse(text, length, &line->time_ns) == 0;
}

static bool set_run(struct logline *line, const char *digits, size_t length)
{
	int64_t run = 0;

	if (length == 1 && digits[0] == '-')
		return true; /* the line is of no run */
	if (length > 18)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (digits[i] < '0' || digits[i] > '9')
			return false;
		run = run * 10 + (digits[i] - '0');
	}
	line->run = run;
	return true;
}

/* "out", "err", "log"; with a + or a - more of that line may follow. */
static bool set_stream(struct logline *line, const char *text, size_t length)
{
	static const char *const streams[] = {"out", "err", "log"};

	line->partial = length == 4 && (text[3] == '+' || text[3] == '-');
	if (length != 3 && !line->partial)
		return false;
	for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++)
		if (memcmp(text, streams[i], 3) == 0)
			line->stream = streams[i];
	return line->stream != NULL;
}
