/* SPDX-License-Identifier: ISC */
/* logrequest.c: see logrequest.h and the method Logs of lib/io.superctl.varlink. */
#include <errno.h>
#include <string.h>

#include "lib/limits.h"
#include "lib/timestamp.h"
#include "supervisord/engine/logrequest.h"

#define DEFAULT_LINES 10

static bool read_name(const json_t *value, struct log_request *request);
static bool read_lines(const json_t *value, struct log_request *request);
static bool read_follow(const json_t *value, struct log_request *request);
static bool read_stderr(const json_t *value, struct log_request *request);
static bool read_since(const json_t *value, struct log_request *request);
static bool read_from(const json_t *value, struct log_request *request);

static const struct parameter {
	const char *name;
	bool (*read)(const json_t *value, struct log_request *request);
} known[] = {
    {"name", read_name},
    {"lines", read_lines},
    {"follow", read_follow},
    {"stderr", read_stderr},
    {"since", read_since},
    {"from", read_from},
};
#define KNOWN_COUNT (sizeof(known) / sizeof(known[0]))

int log_request_read(
    const json_t *parameters, struct log_request *ret_request, const char **ret_wrong)
{
	struct log_request request = {.lines = DEFAULT_LINES};
	const char *key;
	json_t *value;

	/* The iteration does not write; its macro has no const form. */
	json_object_foreach((json_t *)(uintptr_t)parameters, key, value)
	{
		size_t i = 0;

		while (i < KNOWN_COUNT && strcmp(known[i].name, key) != 0)
			i++;
		if (!json_is_null(value) && (i == KNOWN_COUNT || !known[i].read(value, &request))) {
			*ret_wrong = key;
			return -EINVAL;
		}
	}
	if (request.name == NULL) {
		*ret_wrong = "name";
		return -EINVAL;
	}
	*ret_request = request;
	return 0;
}

struct msg_read_log log_request_to_message(
    const struct log_request *request, uint32_t row, bool more)
{
	struct msg_read_log message = {
	    .row = row,
	    .stream = request->of_stderr,
	    .follow = request->follow,
	    .more = more,
	    .lines = request->lines,
	    .since_ns = request->since_ns,
	};

	/* read_from() has seen to it that it fits. */
	if (request->from != NULL)
		memcpy(message.from, request->from, strlen(request->from));
	return message;
}

static bool read_name(const json_t *value, struct log_request *request)
{
	request->name = json_string_value(value);
	return request->name != NULL;
}

static bool read_lines(const json_t *value, struct log_request *request)
{
	json_int_t lines = json_integer_value(value);

	if (!json_is_integer(value) || lines < -1 || lines > LIMIT_LOG_LINES)
		return false;
	request->lines = lines < 0 ? UINT64_MAX : (uint64_t)lines;
	return true;
}

static bool read_follow(const json_t *value, struct log_request *request)
{
	request->follow = json_is_true(value);
	return json_is_boolean(value);
}

static bool read_stderr(const json_t *value, struct log_request *request)
{
	request->of_stderr = json_is_true(value);
	return json_is_boolean(value);
}

static bool read_since(const json_t *value, struct log_request *request)
{
	return json_is_string(value) && timestamp_parse(json_string_value(value),
					    json_string_length(value), &request->since_ns) == 0;
}

/* The logger knows what it means. */
static bool read_from(const json_t *value, struct log_request *request)
{
	request->from = json_string_value(value);
	return request->from != NULL && request->from[0] != '\0' &&
	       strlen(request->from) < LIMIT_LOG_PLACE;
}
