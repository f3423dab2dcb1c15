/* SPDX-License-Identifier: ISC */
/*
 * specs.h: the log specs in force: lib/logspec.h's table, sorted, because each pipe looks up its
 * row when the logger starts and at every apply.
 */
#ifndef LOGGER_SPECS_H
#define LOGGER_SPECS_H

#include "lib/logspec.h"

struct specs {
	struct logspec_table table;
};

/* Read the table that `fd` (borrowed) holds.  Returns 0 or -errno, see logspec_read(). */
int specs_read(int fd, struct specs *ret_specs);
void specs_done(struct specs *specs);

/* The spec of a stream, borrowed until specs_done(); NULL if it has none. */
const struct logspec *specs_find(const struct specs *specs, uint32_t row, uint16_t stream);

/* A copy in one block that free(3) ends; NULL: no memory. */
struct logspec *specs_copy(const struct logspec *spec);

/* "stdout" or "stderr", for messages. */
const char *specs_stream_name(uint16_t stream);

#endif
