/* SPDX-License-Identifier: ISC */
/*
 * logspec.h: where each log stream is written and how it is rotated.
 *
 * The engine encodes the whole table into a sealed memfd at each apply and gives it to the guardian
 * (HELD_LOG_SPECS); the logger reads it, also after a restart with no engine alive.  The table is
 * small, written rarely and read whole, so there is no update in place.
 */
#ifndef LIB_LOGSPEC_H
#define LIB_LOGSPEC_H

#include <stddef.h>
#include <stdint.h>

/* The row of the daemon's own messages. */
#define LOGSPEC_ROW_OWN UINT32_MAX

struct logspec {
	uint32_t row;
	uint16_t stream;    /* 0 stdout, 1 stderr */
	uint32_t keep;      /* archives, 0: the full file is truncated by rename and unlink */
	uint64_t max_bytes; /* rotate past this size; 0: never */
	const char *name;   /* instance, for messages */
	const char *path;   /* absolute */
};

struct logspec_table {
	size_t count;
	struct logspec *specs;
	char *bytes; /* what name and path point into */
};

/* Encode into a new sealed memfd (close-on-exec).  Borrows all.  Returns 0 or -errno. */
int logspec_write(const struct logspec *specs, size_t count, int *ret_fd);

/* Decode.  Borrows `fd`.  -EBADMSG: not a table.  On success logspec_done() frees it. */
int logspec_read(int fd, struct logspec_table *ret_table);

void logspec_done(struct logspec_table *table);

/* The spec of a stream, or NULL. */
const struct logspec *logspec_find(
    const struct logspec_table *table, uint32_t row, uint16_t stream);

#endif
