/* SPDX-License-Identifier: ISC */
/* out.c: see out.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ctl/out.h"
#include "lib/utf8.h"

#define FIRST_SIZE    4096
#define DEFAULT_WIDTH 80
#define CUT_MARK      "..."

static void fold(struct out *out, const char *line, size_t length, size_t indent);
static size_t find_end(const char *line, size_t length, size_t columns);
static size_t skip_sequence(const char *text, size_t length);
static bool make_room(struct out *out, size_t length);
static size_t measure_plain(const char *text, size_t length);
static size_t show_character(const char *text, size_t length, char *shown, size_t *ret_columns);

/* setlocale(3) would read files for this one bit. */
static bool is_utf8_locale(void)
{
	static const char *const variables[] = {"LC_ALL", "LC_CTYPE", "LANG"};

	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		const char *value = getenv(variables[i]);

		if (value != NULL && value[0] != '\0')
			return strcasestr(value, "utf-8") != NULL ||
			       strcasestr(value, "utf8") != NULL;
	}
	return false;
}

void out_init(struct out *out, int fd)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");
	struct winsize size;

	*out = (struct out){.fd = fd, .tty = isatty(fd) == 1, .utf8 = is_utf8_locale()};
	if (!out->tty)
		return;
	out->colour = (no_color == NULL || no_color[0] == '\0') && term != NULL &&
		      term[0] != '\0' && strcmp(term, "dumb") != 0;
	out->width = DEFAULT_WIDTH;
	if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		out->width = size.ws_col;
}

void out_done(struct out *out)
{
	free(out->data);
	out->data = NULL;
	out->length = out->size = 0;
}

void out_bytes(struct out *out, const char *bytes, size_t length)
{
	if (length == 0 || !make_room(out, length))
		return;
	memcpy(out->data + out->length, bytes, length);
	out->length += length;
}

void out_string(struct out *out, const char *text)
{
	out_bytes(out, text, strlen(text));
}

void out_format(struct out *out, const char *format, ...)
{
	va_list arguments, again;
	int length;

	va_start(arguments, format);
	va_copy(again, arguments);
	length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	if (length > 0 && make_room(out, (size_t)length + 1)) {
		vsnprintf(out->data + out->length, (size_t)length + 1, format, again);
		out->length += (size_t)length;
	}
	va_end(again);
}

void out_pad(struct out *out, size_t spaces)
{
	if (spaces == 0 || !make_room(out, spaces))
		return;
	memset(out->data + out->length, ' ', spaces);
	out->length += spaces;
}

void out_text(struct out *out, const char *text, size_t columns)
{
	size_t left = strlen(text);
	size_t used = 0;
	size_t room = SIZE_MAX;
	bool cut = false;

	if (columns > 0 && out_measure(text) > columns) {
		cut = true;
		room = columns > strlen(CUT_MARK) ? columns - strlen(CUT_MARK) : 0;
	}
	while (left > 0) {
		size_t plain = measure_plain(text, left < room - used ? left : room - used);
		char shown[8];
		size_t width;
		size_t took;

		out_bytes(out, text, plain);
		text += plain;
		left -= plain;
		used += plain;
		if (left == 0)
			break;
		took = show_character(text, left, shown, &width);
		if (used + width > room)
			break;
		out_bytes(out, shown, strlen(shown));
		used += width;
		text += took;
		left -= took;
	}
	if (cut && left > 0)
		out_bytes(out, CUT_MARK, columns < strlen(CUT_MARK) ? columns : strlen(CUT_MARK));
}

void out_style(struct out *out, enum out_style style)
{
	static const char *const codes[] = {
	    [OUT_PLAIN] = "\033[0m",
	    [OUT_BOLD] = "\033[1m",
	    [OUT_DIM] = "\033[2m",
	    [OUT_GREEN] = "\033[32m",
	    [OUT_YELLOW] = "\033[33m",
	    [OUT_RED] = "\033[31m",
	    [OUT_BLUE] = "\033[34m",
	    [OUT_MAGENTA] = "\033[35m",
	    [OUT_CYAN] = "\033[36m",
	};

	if (out->colour)
		out_string(out, codes[style]);
}

void out_end_line(struct out *out, size_t start, size_t indent)
{
	size_t length = out->length > start ? out->length - start : 0;
	char *line = NULL;

	if (length > out->width && out->width > indent)
		line = malloc(length);
	if (line != NULL) {
		memcpy(line, out->data + start, length);
		out->length = start;
		fold(out, line, length, indent);
		free(line);
	}
	out_string(out, "\n");
}

static void fold(struct out *out, const char *line, size_t length, size_t indent)
{
	size_t room = out->width, end;

	while ((end = find_end(line, length, room)) < length) {
		out_bytes(out, line, end);
		out_string(out, "\n");
		out_pad(out, indent);
		while (end < length && line[end] == ' ')
			end++;
		line += end;
		length -= end;
		room = out->width - indent;
	}
	out_bytes(out, line, length);
}

/* Where the last word ends that fits into so many columns, or the first one if it is longer. */
static size_t find_end(const char *line, size_t length, size_t columns)
{
	size_t end = 0, used = 0, at = 0;
	bool in_word = false;

	while (at < length) {
		size_t sequence = skip_sequence(line + at, length - at);

		if (sequence > 0) {
			at += sequence;
			continue;
		}
		if (line[at] == ' ' && in_word)
			end = at;
		if (used >= columns && end > 0)
			return end;
		in_word = line[at] != ' ';
		used++;
		do /* a character of UTF-8 is one column */
			at++;
		while (at < length && ((unsigned char)line[at] & 0xc0) == 0x80);
	}
	return length;
}

/* One of out_style(): nothing else gets here. */
static size_t skip_sequence(const char *text, size_t length)
{
	const char *end = text[0] == '\033' ? memchr(text, 'm', length) : NULL;

	return end != NULL ? (size_t)(end - text) + 1 : 0;
}

size_t out_measure(const char *text)
{
	size_t left = strlen(text);
	size_t columns = 0;

	while (left > 0) {
		size_t plain = measure_plain(text, left);
		char shown[8];
		size_t width;
		size_t took;

		columns += plain;
		text += plain;
		left -= plain;
		if (left == 0)
			break;
		took = show_character(text, left, shown, &width);
		columns += width;
		text += took;
		left -= took;
	}
	return columns;
}

int out_flush(struct out *out)
{
	size_t at = 0;

	if (out->fd < 0)
		return out->error;
	while (out->error == 0 && at < out->length) {
		ssize_t wrote = write(out->fd, out->data + at, out->length - at);

		if (wrote >= 0) {
			at += (size_t)wrote;
		} else if (errno == EAGAIN) {
			/* Somebody else made the terminal non-blocking. */
			struct pollfd ready = {.fd = out->fd, .events = POLLOUT};

			(void)poll(&ready, 1, -1);
		} else if (errno != EINTR) {
			out->error = -errno;
		}
	}
	out->length = 0;
	return out->error;
}

/* How many bytes at the beginning are printable ASCII: one column each, and nothing to look at. */
static size_t measure_plain(const char *text, size_t length)
{
	size_t at = 0;

	while (at < length && text[at] >= 0x20 && text[at] < 0x7f)
		at++;
	return at;
}

static bool make_room(struct out *out, size_t length)
{
	size_t size = out->size > 0 ? out->size : FIRST_SIZE;
	char *data;

	if (out->error < 0 || out->silent)
		return false;
	if (length <= out->size - out->length)
		return true;
	while (size < out->length + length)
		size *= 2;
	data = realloc(out->data, size);
	if (data == NULL) {
		out->error = -ENOMEM;
		return false;
	}
	out->data = data;
	out->size = size;
	return true;
}

/*
 * How the first character of `text` is shown: itself, or \xNN where a terminal would obey it (C0,
 * DEL and the C1 controls, which begin a sequence as ESC [ does) or where it is not UTF-8.  Returns
 * the bytes it took.
 */
static size_t show_character(const char *text, size_t length, char *shown, size_t *ret_columns)
{
	uint32_t character = 0;
	size_t took = utf8_decode(text, length, &character);

	if (took == 0) {
		took = 1;
		character = (unsigned char)text[0];
	} else if (character >= 0xa0 || (character >= 0x20 && character < 0x7f)) {
		memcpy(shown, text, took);
		shown[took] = '\0';
		*ret_columns = 1;
		return took;
	}
	snprintf(shown, 8, "\\x%02x", (unsigned)character);
	*ret_columns = 4;
	return took;
}
