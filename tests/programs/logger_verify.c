/* SPDX-License-Identifier: ISC */
/*
 * logger_verify: prove that a log with its archives is what writers have written: nothing missing,
 * nothing twice, no line split or mixed.
 *
 *   logger_verify FORMAT LOG LENGTH LETTER=COUNT…
 *
 * FORMAT: raw, stamp or json.  LOG: the path; its archives (PATH.N, the highest first, or
 * PATH.TIME, also .gz and .zst) come before it.  Each writer is one of logger_writer.c with lines
 * of LENGTH bytes; its numbers must run from 0 to COUNT - 1.  COUNT may be FIRST-COUNT where what
 * is older was rotated away or deleted: then they run from any number up to FIRST at the most.
 *
 * Each file must end at the end of a line.  Raw logs are exact.  In the other formats lines may
 * repeat after a line of the logger that says so, REPEAT_MAX bytes of them at the most, and the
 * stamps of one file never go back unless CLOCK is set in the environment.
 *
 * Exit 0 and one line with the figures, or 1 and the first thing that is wrong.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <glob.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WRITERS      26
#define NUMBER_WIDTH 12
/* What may be in flight when the logger is killed: all that a pipe holds at the most. */
#define REPEAT_MAX (1024L * 1024)

enum format { RAW, STAMP, JSON };

struct writer {
	bool is_wanted;
	long first; /* may begin here at the latest */
	long count;
	long next;       /* the number that is due; -1: none yet */
	long high;       /* the highest that was due before a repeat */
	bool may_repeat; /* the logger has said so, and none has yet */
};

static enum format format;
static size_t length;
static struct writer writers[WRITERS];
static char last_stamp[32];
static const char *file_name;
static unsigned long line_number, lines, repeated, marks, files;

static void fail(const char *text, ...) __attribute__((format(printf, 1, 2), noreturn));
static void add_writer(const char *word);
static int compare_names(const void *left, const void *right);
static void verify_file(const char *path);
static void verify_line(char *line, size_t size);
static void verify_text(const char *text, size_t size);
static char *find_text(char *line, size_t *size);
static char *find_stamp_text(char *line, size_t *size);
static char *find_json_text(char *line, size_t *size);

int main(int argc, char *argv[])
{
	char pattern[4096];
	glob_t found;

	if (argc < 5)
		return 2;
	format = strcmp(argv[1], "raw") == 0 ? RAW : strcmp(argv[1], "stamp") == 0 ? STAMP : JSON;
	length = strtoul(argv[3], NULL, 10);
	for (int i = 4; i < argc; i++)
		add_writer(argv[i]);
	(void)snprintf(pattern, sizeof(pattern), "%s.[0-9]*", argv[2]);
	if (glob(pattern, GLOB_NOSORT, NULL, &found) == 0) {
		qsort(found.gl_pathv, found.gl_pathc, sizeof(char *), compare_names);
		for (size_t i = 0; i < found.gl_pathc; i++)
			if (strstr(found.gl_pathv[i], ".tmp") == NULL)
				verify_file(found.gl_pathv[i]);
		globfree(&found);
	}
	verify_file(argv[2]);
	file_name = argv[2];
	for (int i = 0; i < WRITERS; i++)
		if (writers[i].is_wanted && writers[i].next != writers[i].count)
			fail("writer %c ends before %ld of %ld", 'a' + i, writers[i].next,
			    writers[i].count);
	printf("%lu lines in %lu files; %lu repeated after %lu marks\n", lines, files, repeated,
	    marks);
	return 0;
}

static void fail(const char *text, ...)
{
	va_list arguments;

	printf("%s:%lu: ", file_name, line_number);
	va_start(arguments, text);
	vprintf(text, arguments);
	va_end(arguments);
	printf("\n");
	exit(1);
}

static void add_writer(const char *word)
{
	struct writer *writer;
	const char *dash = strchr(word, '-');

	if (!islower((unsigned char)word[0]) || word[1] != '=')
		exit(2);
	writer = &writers[word[0] - 'a'];
	*writer = (struct writer){.is_wanted = true, .next = -1};
	if (dash != NULL)
		writer->first = strtol(word + 2, NULL, 10);
	writer->count = strtol(dash != NULL ? dash + 1 : word + 2, NULL, 10);
}

/* Archives, oldest first: by number downwards, or by time, which sorts as text. */
static int compare_names(const void *left, const void *right)
{
	const char *const a = *(char *const *)left, *const b = *(char *const *)right;
	const char *a_end = strrchr(a, '.') + 1, *b_end = strrchr(b, '.') + 1;

	if (strspn(a_end, "0123456789") == strlen(a_end) &&
	    strspn(b_end, "0123456789") == strlen(b_end)) {
		long x = strtol(a_end, NULL, 10), y = strtol(b_end, NULL, 10);

		return x < y ? 1 : x > y ? -1 : 0;
	}
	return strcmp(a, b);
}

static void verify_file(const char *path)
{
	const char *unpack = strstr(path, ".gz") != NULL    ? "gzip -dc"
			     : strstr(path, ".zst") != NULL ? "zstd -qdc"
							    : "cat";
	char command[8192], *line = NULL;
	size_t room = 0;
	ssize_t got;
	FILE *file;

	file_name = path;
	line_number = 0;
	last_stamp[0] = '\0';
	files++;
	(void)snprintf(command, sizeof(command), "%s '%s'", unpack, path);
	file = popen(command, "re");
	if (file == NULL)
		fail("cannot be read");
	while ((got = getline(&line, &room, file)) > 0) {
		line_number++;
		if (line[got - 1] != '\n')
			fail("ends in the middle of a line");
		line[got - 1] = '\0';
		if (strlen(line) != (size_t)got - 1)
			fail("a NUL");
		verify_line(line, (size_t)got - 1);
	}
	free(line);
	if (pclose(file) != 0)
		fail("cannot be read");
}

static void verify_line(char *line, size_t size)
{
	char *text = find_text(line, &size);

	if (text != NULL)
		verify_text(text, size);
}

static void verify_text(const char *text, size_t size)
{
	struct writer *writer;
	char *end;
	long number = strtol(text, &end, 10);
	char letter;

	if (size != length - 1 || end != text + NUMBER_WIDTH || *end != ' ')
		fail("a line was cut or mixed: %.60s", text);
	letter = text[size - 1];
	for (const char *at = end + 1; at < text + size; at++)
		if (*at != letter)
			fail("a line was mixed: %.60s", text);
	if (!islower((unsigned char)letter) || !writers[letter - 'a'].is_wanted)
		fail("nobody wrote this: %.60s", text);
	writer = &writers[letter - 'a'];
	if (writer->next < 0 && number <= writer->first)
		writer->next = number;
	if (writer->may_repeat && number < writer->next &&
	    (writer->next - number) * (long)length <= REPEAT_MAX) {
		repeated += (unsigned long)(writer->next - number);
		writer->next = number;
	}
	if (number == writer->next)
		writer->may_repeat = false;
	if (number != writer->next)
		fail("writer %c: %ld instead of %ld", letter, number,
		    writer->next < 0 ? writer->first : writer->next);
	writer->next = number + 1;
	lines++;
}

/* What the program wrote; NULL: the line is the logger's own. */
static char *find_text(char *line, size_t *size)
{
	switch (format) {
	case RAW:
		return line;
	case STAMP:
		return find_stamp_text(line, size);
	case JSON:
		return find_json_text(line, size);
	}
	return NULL;
}

static void note_mark(const char *text)
{
	if (strstr(text, "may repeat") == NULL)
		return;
	marks++;
	for (int i = 0; i < WRITERS; i++)
		writers[i].may_repeat = true;
}

static void verify_stamp(const char *stamp)
{
	static const char shape[] = "0000-00-00T00:00:00.000000Z";

	for (size_t i = 0; shape[i] != '\0'; i++)
		if (shape[i] == '0' ? !isdigit((unsigned char)stamp[i]) : stamp[i] != shape[i])
			fail("no stamp: %.60s", stamp);
	if (getenv("CLOCK") == NULL && strncmp(stamp, last_stamp, sizeof(shape) - 1) < 0)
		fail("the time goes back: %.27s after %.27s", stamp, last_stamp);
	memcpy(last_stamp, stamp, sizeof(shape) - 1);
}

/* TIME NAME RUN STREAM TEXT */
static char *find_stamp_text(char *line, size_t *size)
{
	char *words[4], *at = line;

	verify_stamp(line);
	for (int i = 0; i < 4; i++) {
		words[i] = at;
		at = strchr(at, ' ');
		if (at == NULL)
			fail("fewer than five words: %.60s", line);
		*at++ = '\0';
	}
	*size -= (size_t)(at - line);
	if (strcmp(words[3], "log") == 0) {
		note_mark(at);
		return NULL;
	}
	if (strcmp(words[3], "out") != 0 && strcmp(words[3], "err") != 0)
		fail("stream %s: the line is marked as a part", words[3]);
	return at;
}

/* The texts of our writers have no character that JSON would escape. */
static char *find_json_text(char *line, size_t *size)
{
	static const char head[] = "{\"time\":\"", mark[] = "\"stream\":\"", text[] = "\"text\":\"";
	char *stream = strstr(line, mark), *begin = strstr(line, text);

	if (strncmp(line, head, sizeof(head) - 1) != 0 || stream == NULL || begin == NULL ||
	    strcmp(line + *size - 2, "\"}") != 0)
		fail("no such object: %.80s", line);
	verify_stamp(line + sizeof(head) - 1);
	begin += sizeof(text) - 1;
	line[*size - 2] = '\0';
	*size -= 2 + (size_t)(begin - line);
	if (strncmp(stream + sizeof(mark) - 1, "log\"", 4) == 0) {
		note_mark(begin);
		return NULL;
	}
	return begin;
}
