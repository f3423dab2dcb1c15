/* SPDX-License-Identifier: ISC */
/* jsonw.c: see jsonw.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/jsonw.h"

#define FIRST_SIZE 512

static void put(struct jsonw *w, const char *bytes, size_t length);
static void begin_value(struct jsonw *w);
static size_t put_special(struct jsonw *w, const char *text, size_t length);
static size_t utf8_length(const unsigned char *text, size_t length);

/* Bytes that go into a JSON string as they are; everything else takes the slow path. */
static bool is_plain(unsigned char byte)
{
	return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

void jsonw_init(struct jsonw *w, size_t limit)
{
	*w = (struct jsonw){.limit = limit};
}

void jsonw_done(struct jsonw *w)
{
	free(w->data);
	*w = (struct jsonw){0};
}

void jsonw_reset(struct jsonw *w)
{
	w->length = 0;
	w->error = 0;
	w->comma = false;
}

int jsonw_error(const struct jsonw *w)
{
	return w->error;
}

void jsonw_begin_object(struct jsonw *w)
{
	begin_value(w);
	put(w, "{", 1);
	w->comma = false;
}

void jsonw_end_object(struct jsonw *w)
{
	put(w, "}", 1);
	w->comma = true;
}

void jsonw_begin_array(struct jsonw *w)
{
	begin_value(w);
	put(w, "[", 1);
	w->comma = false;
}

void jsonw_end_array(struct jsonw *w)
{
	put(w, "]", 1);
	w->comma = true;
}

void jsonw_key(struct jsonw *w, const char *key)
{
	begin_value(w);
	put(w, "\"", 1);
	put(w, key, strlen(key));
	put(w, "\":", 2);
	w->comma = false;
}

void jsonw_string(struct jsonw *w, const char *text)
{
	if (text == NULL)
		jsonw_null(w);
	else
		jsonw_string_n(w, text, strlen(text));
}

void jsonw_string_n(struct jsonw *w, const char *text, size_t length)
{
	size_t at = 0;

	begin_value(w);
	put(w, "\"", 1);
	while (at < length) {
		size_t run = at;

		while (run < length && is_plain((unsigned char)text[run]))
			run++;
		put(w, text + at, run - at);
		at = run;
		if (at < length)
			at += put_special(w, text + at, length - at);
	}
	put(w, "\"", 1);
	w->comma = true;
}

void jsonw_int(struct jsonw *w, int64_t value)
{
	char digits[24];
	char *at = digits + sizeof(digits);
	uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;

	begin_value(w);
	do
		*--at = (char)('0' + rest % 10);
	while ((rest /= 10) != 0);
	if (value < 0)
		*--at = '-';
	put(w, at, (size_t)(digits + sizeof(digits) - at));
	w->comma = true;
}

void jsonw_bool(struct jsonw *w, bool value)
{
	begin_value(w);
	put(w, value ? "true" : "false", value ? 4 : 5);
	w->comma = true;
}

void jsonw_null(struct jsonw *w)
{
	begin_value(w);
	put(w, "null", 4);
	w->comma = true;
}

void jsonw_raw(struct jsonw *w, const char *bytes, size_t length)
{
	put(w, bytes, length);
}

void jsonw_member_string(struct jsonw *w, const char *key, const char *text)
{
	jsonw_key(w, key);
	jsonw_string(w, text);
}

void jsonw_member_int(struct jsonw *w, const char *key, int64_t value)
{
	jsonw_key(w, key);
	jsonw_int(w, value);
}

void jsonw_member_bool(struct jsonw *w, const char *key, bool value)
{
	jsonw_key(w, key);
	jsonw_bool(w, value);
}

void jsonw_member_null(struct jsonw *w, const char *key)
{
	jsonw_key(w, key);
	jsonw_null(w);
}

static void begin_value(struct jsonw *w)
{
	if (w->comma)
		put(w, ",", 1);
}

static void put(struct jsonw *w, const char *bytes, size_t length)
{
	if (w->error < 0 || length == 0)
		return;
	if (length > w->limit || w->length > w->limit - length) {
		w->error = -EMSGSIZE;
		return;
	}
	if (w->length + length > w->size) {
		size_t size = w->size > 0 ? w->size : FIRST_SIZE;
		char *data;

		while (size < w->length + length)
			size *= 2;
		data = realloc(w->data, size);
		if (data == NULL) {
			w->error = -ENOMEM;
			return;
		}
		w->data = data;
		w->size = size;
	}
	memcpy(w->data + w->length, bytes, length);
	w->length += length;
}

/* One character that needs care; returns how many input bytes it took. */
static size_t put_special(struct jsonw *w, const char *text, size_t length)
{
	static const char hex[] = "0123456789abcdef";
	unsigned char byte = (unsigned char)text[0];
	const char *short_form;
	size_t sequence;

	if (byte >= 0x80) {
		sequence = utf8_length((const unsigned char *)text, length);
		if (sequence > 0)
			put(w, text, sequence);
		else
			put(w, "\xef\xbf\xbd", 3);
		return sequence > 0 ? sequence : 1;
	}
	switch (byte) {
	case '"':
		short_form = "\\\"";
		break;
	case '\\':
		short_form = "\\\\";
		break;
	case '\n':
		short_form = "\\n";
		break;
	case '\t':
		short_form = "\\t";
		break;
	case '\r':
		short_form = "\\r";
		break;
	default:
		put(w, "\\u00", 4);
		put(w, &hex[byte >> 4], 1);
		put(w, &hex[byte & 15], 1);
		return 1;
	}
	put(w, short_form, 2);
	return 1;
}

/* Length of the well-formed sequence at `text` (RFC 3629: no overlong form, no surrogate), 0 if
 * none. */
static size_t utf8_length(const unsigned char *text, size_t length)
{
	size_t need = text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : 2;
	unsigned char low = 0x80, high = 0xbf;

	if (text[0] < 0xc2 || text[0] > 0xf4 || length < need)
		return 0;
	if (text[0] == 0xe0)
		low = 0xa0;
	else if (text[0] == 0xed)
		high = 0x9f;
	else if (text[0] == 0xf0)
		low = 0x90;
	else if (text[0] == 0xf4)
		high = 0x8f;
	if (text[1] < low || text[1] > high)
		return 0;
	for (size_t i = 2; i < need; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	return need;
}
