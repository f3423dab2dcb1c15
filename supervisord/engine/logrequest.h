/* SPDX-License-Identifier: ISC */
/*
 * logrequest.h: what a call of Logs asks for.  Reads the parameters as they came from a client, and
 * nothing else: no program is looked up here.  Pure; a fuzz target.
 */
#ifndef ENGINE_LOGREQUEST_H
#define ENGINE_LOGREQUEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/protocol.h"

struct log_request {
	const char *name; /* borrowed from the parameters */
	bool follow;
	bool of_stderr;
	uint64_t lines;   /* UINT64_MAX: all there is */
	int64_t since_ns; /* wall clock; 0: not asked for */
	const char *from; /* where an earlier call has ended; borrowed; NULL: none */
};

/* Returns 0, or -EINVAL with the name of the first parameter that is wrong (borrowed). */
int log_request_read(
    const json_t *parameters, struct log_request *ret_request, const char **ret_wrong);

/* For the logger; `more`: several replies are welcome. */
struct msg_read_log log_request_to_message(
    const struct log_request *request, uint32_t row, bool more);

#endif
