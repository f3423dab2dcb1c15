/* SPDX-License-Identifier: ISC */
/*
 * message_fuzz.c: libFuzzer target: any bytes as a tag, a host name and a line for syslog, the
 * journal and JSON.  No line can end its message early or add a field to it.
 *
 * Compiled with the sources that targets.mk names, clang -fsanitize=fuzzer,address,undefined.
 */
#define _GNU_SOURCE
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "supervisord/logger/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
	if (!holds)
		abort();
}

static size_t count(const struct jsonw *out, char byte)
{
	size_t found = 0;

	for (size_t i = 0; i < out->length; i++)
		found += out->data[i] == byte;
	return found;
}

/* Lines of fields; a MESSAGE with newlines is passed over by the length that stands before it. */
static void check_journal(const struct jsonw *out, const struct message *message)
{
	static const char key[] = "\nMESSAGE";
	const char *at = memmem(out->data, out->length, key, sizeof(key) - 1);
	size_t head;

	require(at != NULL);
	head = (size_t)(at - out->data) + sizeof(key) - 1;
	head += memchr(message->text, '\n', message->length) != NULL ? 9 : 1;
	require(out->length == head + message->length + 1);
	require(memcmp(out->data + head, message->text, message->length) == 0);
	require(out->data[out->length - 1] == '\n');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[4096];
	char tag[32] = "", host[32] = "";
	struct origin origin = {.name = "web@3", .tag = tag, .facility = 3, .run = 7};
	struct message message = {
	    .origin = &origin, .time = "2026-11-27T09:30:12.123456Z", .host = host, .text = text};
	struct form form = {0};
	struct jsonw out;

	if (size < 64 || size > sizeof(text))
		return 0;
	memcpy(tag, data, 31);
	memcpy(host, data + 32, 31);
	for (size_t i = 0; i < 31; i++)
		if (tag[i] == '\n')
			tag[i] = ' '; /* the configuration allows none */
	message.length = size - 64;
	memcpy(text, data + 64, message.length);
	jsonw_init(&out, form_bound(sizeof(text)));

	message_write_syslog(&out, &message);
	require(jsonw_error(&out) == 0);
	for (char byte = 1; byte < ' '; byte++)
		require(byte == '\t' || count(&out, byte) == 0);
	require(count(&out, '\0') == 0 && count(&out, '\x7f') == 0);
	require(count(&out, ' ') >= 7);

	jsonw_reset(&out);
	message_write_journal(&out, &message);
	require(jsonw_error(&out) == 0);
	check_journal(&out, &message);

	jsonw_reset(&out);
	form_begin(&form, LOGSPEC_JSON, &origin);
	form_write(&form, &out, &(struct line){.text = text, .length = message.length});
	require(jsonw_error(&out) == 0 && count(&out, '\n') == 1);
	require(out.length <= form_bound(message.length));
	jsonw_done(&out);
	return 0;
}
