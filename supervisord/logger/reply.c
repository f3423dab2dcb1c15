/* SPDX-License-Identifier: ISC */
/* reply.c: see reply.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>

#include "supervisord/logger/reply.h"

static void write_error(struct jsonw *w, const char *error, const char *key, const char *value);
static size_t count_begun_sequence(const char *bytes, size_t length);

void reply_write(struct jsonw *w, const struct reply *reply)
{
	jsonw_reset(w);
	jsonw_begin_object(w);
	jsonw_key(w, "parameters");
	jsonw_begin_object(w);
	jsonw_key(w, "data");
	jsonw_string_n(w, reply->bytes, reply->length);
	jsonw_member_string(w, "format", reply->format);
	jsonw_member_string(w, "next", reply->next);
	if (reply->lost)
		jsonw_member_bool(w, "lost", true);
	jsonw_end_object(w);
	if (reply->continues)
		jsonw_member_bool(w, "continues", true);
	jsonw_end_object(w);
	jsonw_raw(w, "", 1);
}

void reply_write_last(struct jsonw *w, const struct reply *reply)
{
	struct reply rest = *reply;

	reply_write(w, &rest);
	while (jsonw_error(w) == -EMSGSIZE && rest.length > 0) {
		size_t dropped = (rest.length + 1) / 2;
		const char *newline = memchr(rest.bytes + dropped, '\n', rest.length - dropped);

		if (newline != NULL)
			dropped = (size_t)(newline - rest.bytes) + 1;
		rest.bytes += dropped;
		rest.length -= dropped;
		reply_write(w, &rest);
	}
}

void reply_write_busy(struct jsonw *w, const char *reason)
{
	write_error(w, "io.superctl.Busy", "reason", reason);
}

void reply_write_invalid_parameter(struct jsonw *w, const char *parameter)
{
	write_error(w, "org.varlink.service.InvalidParameter", "parameter", parameter);
}

size_t reply_cut(const char *bytes, size_t length, bool is_full)
{
	const char *newline = is_full ? memrchr(bytes, '\n', length) : NULL;

	if (newline != NULL)
		return (size_t)(newline - bytes) + 1;
	return length - count_begun_sequence(bytes, length);
}

static void write_error(struct jsonw *w, const char *error, const char *key, const char *value)
{
	jsonw_reset(w);
	jsonw_begin_object(w);
	jsonw_member_string(w, "error", error);
	jsonw_key(w, "parameters");
	jsonw_begin_object(w);
	jsonw_member_string(w, key, value);
	jsonw_end_object(w);
	jsonw_end_object(w);
	jsonw_raw(w, "", 1);
}

/* Bytes at the end that begin a UTF-8 sequence and do not finish it. */
static size_t count_begun_sequence(const char *bytes, size_t length)
{
	for (size_t back = 1; back <= 3 && back <= length; back++) {
		unsigned char byte = (unsigned char)bytes[length - back];

		if (byte < 0x80)
			return 0;
		if (byte >= 0xc2) {
			size_t need = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;

			return need > back && byte < 0xf5 ? back : 0;
		}
	}
	return 0;
}
