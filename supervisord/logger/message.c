/* SPDX-License-Identifier: ISC */
/* message.c: see message.h, RFC 5424, and systemd's "Native Journal Protocol". */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "supervisord/logger/message.h"

/* Severities of syslog(3). */
enum { SEVERITY_ERR = 3, SEVERITY_NOTICE = 5, SEVERITY_INFO = 6 };

static int get_severity(const struct message *message);
static const char *stream_name(const struct message *message);
static const char *get_tag(const struct origin *origin);
static void put_word(struct jsonw *out, const char *word, size_t max);
static void put_escaped(struct jsonw *out, const char *text, size_t length);
static void put_field(struct jsonw *out, const char *key, const char *value, size_t length);
static void put_number(struct jsonw *out, const char *key, uint64_t value);

void message_write_syslog(struct jsonw *out, const struct message *message)
{
	const struct origin *origin = message->origin;
	char head[64];
	int length = snprintf(head, sizeof(head), "<%d>1 %s ",
	    origin->facility * 8 + get_severity(message), message->time);

	jsonw_raw(out, head, (size_t)length);
	put_word(out, message->host, MESSAGE_HOST_SIZE - 1);
	put_word(out, get_tag(origin), MESSAGE_TAG_SIZE - 1);
	if (origin->pid > 0)
		length =
		    snprintf(head, sizeof(head), "%d %s - ", origin->pid, stream_name(message));
	else
		length = snprintf(head, sizeof(head), "- %s - ", stream_name(message));
	jsonw_raw(out, head, (size_t)length);
	put_escaped(out, message->text, message->length);
}

void message_write_journal(struct jsonw *out, const struct message *message)
{
	const struct origin *origin = message->origin;
	const char *tag = get_tag(origin), *stream = stream_name(message);

	put_number(out, "PRIORITY", (uint64_t)get_severity(message));
	put_number(out, "SYSLOG_FACILITY", (uint64_t)origin->facility);
	put_field(out, "SYSLOG_IDENTIFIER", tag, strlen(tag));
	if (origin->pid > 0)
		put_number(out, "SYSLOG_PID", (uint64_t)origin->pid);
	put_field(out, "SUPERVISORD_PROGRAM", origin->name, form_program_length(origin->name));
	put_field(out, "SUPERVISORD_NAME", origin->name, strlen(origin->name));
	put_number(out, "SUPERVISORD_RUN", origin->run);
	put_field(out, "SUPERVISORD_STREAM", stream, strlen(stream));
	put_field(out, "MESSAGE", message->text, message->length);
}

static int get_severity(const struct message *message)
{
	if (message->is_note)
		return SEVERITY_NOTICE;
	return message->origin->stream == 0 ? SEVERITY_INFO : SEVERITY_ERR;
}

static const char *stream_name(const struct message *message)
{
	if (message->is_note)
		return "log";
	return message->origin->stream == 0 ? "out" : "err";
}

static const char *get_tag(const struct origin *origin)
{
	return origin->tag != NULL && origin->tag[0] != '\0' ? origin->tag : origin->name;
}

/* A field of the header and the blank after it: printable ASCII, "-" when empty. */
static void put_word(struct jsonw *out, const char *word, size_t max)
{
	size_t length = strnlen(word, max);

	if (length == 0)
		jsonw_raw(out, "-", 1);
	for (size_t i = 0; i < length; i++)
		jsonw_raw(out, word[i] > ' ' && word[i] < 0x7f ? &word[i] : "_", 1);
	jsonw_raw(out, " ", 1);
}

static void put_escaped(struct jsonw *out, const char *text, size_t length)
{
	size_t plain = 0;

	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)text[i];
		char escaped[4] = {'#', (char)('0' + (byte >> 6)), (char)('0' + (byte >> 3 & 7)),
		    (char)('0' + (byte & 7))};

		if ((byte >= ' ' && byte != 0x7f) || byte == '\t')
			continue;
		jsonw_raw(out, text + plain, i - plain);
		jsonw_raw(out, escaped, sizeof(escaped));
		plain = i + 1;
	}
	jsonw_raw(out, text + plain, length - plain);
}

/* A value with a newline in it goes with its length, little-endian. */
static void put_field(struct jsonw *out, const char *key, const char *value, size_t length)
{
	jsonw_raw(out, key, strlen(key));
	if (length > 0 && memchr(value, '\n', length) != NULL) {
		char size[9] = {'\n'};

		for (unsigned i = 0; i < 8; i++)
			size[1 + i] = (char)((uint64_t)length >> (8 * i) & 0xff);
		jsonw_raw(out, size, sizeof(size));
	} else {
		jsonw_raw(out, "=", 1);
	}
	jsonw_raw(out, value, length);
	jsonw_raw(out, "\n", 1);
}

static void put_number(struct jsonw *out, const char *key, uint64_t value)
{
	char digits[24];
	int length = snprintf(digits, sizeof(digits), "%" PRIu64, value);

	put_field(out, key, digits, (size_t)length);
}
