/* SPDX-License-Identifier: ISC */
/*
 * logrequest_fuzz.c: libFuzzer target: any bytes as the parameters of a call of Logs, and what they
 * have in `from` as a place in a log.
 *
 * Links supervisord/engine/logrequest.c and supervisord/logger/place.c, compiled with clang
 * -fsanitize=fuzzer,address,undefined.
 */
#include <errno.h>
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "supervisord/engine/logrequest.h"
#include "supervisord/logger/place.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
	if (!holds)
		abort();
}

/* A text is a place or it is none; the one that is written for it means the same. */
static void try_place(const char *text)
{
	struct archives archives;
	enum place_loss loss = PLACE_LOST_NOTHING;
	char again[LIMIT_LOG_PLACE];
	struct place place;
	int error;

	archives_init(&archives, "/nonexistent/web.log");
	place_init(&place);
	error = place_seek_text(&place, &archives, text, &loss);
	require(error == 0 || error == -EINVAL);
	place_format(&place, again, sizeof(again));
	require(strlen(again) + 1 < sizeof(again));
	if (error == 0)
		require(place_seek_text(&place, &archives, again, &loss) == 0);
	place_done(&place);
	archives_done(&archives);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *parameters = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
	struct log_request request;
	const char *wrong = NULL;

	if (json_is_object(parameters) && log_request_read(parameters, &request, &wrong) == 0) {
		struct msg_read_log message = log_request_to_message(&request, 1, true);

		require(request.name != NULL);
		require(request.lines == UINT64_MAX || request.lines <= LIMIT_LOG_LINES);
		require(memchr(message.from, '\0', sizeof(message.from)) != NULL);
		require((request.from != NULL) == (message.from[0] != '\0'));
		if (request.from != NULL)
			try_place(message.from);
	} else if (json_is_object(parameters)) {
		require(wrong != NULL);
	}
	json_decref(parameters);
	return 0;
}
