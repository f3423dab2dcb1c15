/* SPDX-License-Identifier: ISC */
/* debug.c: see debug.h. */
#include <errno.h>
#include <string.h>

#include "hello/debug.h"

static int parse_code(const char *text, size_t length, int *ret_code);

enum debug_act debug_find_act(const struct request *request, int *ret_code)
{
	static const char code_is[] = "code=";
	const size_t code_is_length = sizeof(code_is) - 1;
	const char *target = request->target, *query;
	size_t length = request->target_length, path;

	if (length > REQUEST_TARGET)
		return DEBUG_NONE;
	query = memchr(target, '?', length);
	path = query ? (size_t)(query - target) : length;
	if (path == 6 && !memcmp(target, "/crash", 6))
		return DEBUG_CRASH;
	if (path != 5)
		return DEBUG_NONE;
	if (!memcmp(target, "/hang", 5))
		return DEBUG_HANG;
	if (memcmp(target, "/exit", 5))
		return DEBUG_NONE;
	length -= path;
	if (length < 1 + code_is_length || memcmp(query + 1, code_is, code_is_length) ||
	    parse_code(query + 1 + code_is_length, length - 1 - code_is_length, ret_code))
		return DEBUG_MALFORMED;
	return DEBUG_EXIT;
}

static int parse_code(const char *text, size_t length, int *ret_code)
{
	int code = 0;

	if (length == 0)
		return -EINVAL;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -EINVAL;
		code = code * 10 + (text[i] - '0');
		if (code > 255)
			return -ERANGE;
	}
	*ret_code = code;
	return 0;
}
