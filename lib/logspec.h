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

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The row of the daemon's own messages. */
#define LOGSPEC_ROW_OWN UINT32_MAX

/* Permission bits of a log file where a spec names none. */
#define LOGSPEC_MODE 0640

enum logspec_rotate { LOGSPEC_NEVER, LOGSPEC_HOURLY, LOGSPEC_DAILY, LOGSPEC_WEEKLY };
enum logspec_compress { LOGSPEC_PLAIN, LOGSPEC_GZIP, LOGSPEC_ZSTD };

/*
 * To add a member: a row here (number or text), and where the engine fills the specs.  Zero must
 * mean "as if there were no such key", so that a spec of a row alone is a plain log.
 *
 *   NUMBER(type, name)   TEXT(name), NULL allowed
 */
/* clang-format off */
#define LOGSPEC_NUMBERS(NUMBER) \
	NUMBER(uint32_t, row) \
	NUMBER(uint16_t, stream)              /* 0 stdout, 1 stderr */ \
	NUMBER(uint32_t, keep)                /* archives at most, 0: the full file is removed */ \
	NUMBER(uint64_t, max_bytes)           /* rotate past this size; 0: never */ \
	NUMBER(uint64_t, total_bytes)         /* of file and archives at most; 0: no limit */ \
	NUMBER(uint64_t, max_age_s)           /* older archives are removed; 0: never */ \
	NUMBER(enum logspec_rotate, rotate)   /* by the calendar, in local time */ \
	NUMBER(enum logspec_compress, compress) \
	NUMBER(uint32_t, mode)                /* of files; 0: LOGSPEC_MODE */ \
	NUMBER(bool, has_uid)                 /* new files get this owner … */ \
	NUMBER(bool, has_gid) \
	NUMBER(uint32_t, uid) \
	NUMBER(uint32_t, gid)

#define LOGSPEC_TEXTS(TEXT) \
	TEXT(name) /* instance, for messages */ \
	TEXT(path) /* absolute */

#define LOGSPEC_NUMBER(type, member) type member;
#define LOGSPEC_TEXT(member)         const char *member;
struct logspec {
	LOGSPEC_NUMBERS(LOGSPEC_NUMBER)
	LOGSPEC_TEXTS(LOGSPEC_TEXT)
};
#undef LOGSPEC_NUMBER
#undef LOGSPEC_TEXT
/* clang-format on */

struct logspec_table {
	size_t count;
	struct logspec *specs;
	char *bytes; /* what the texts point into */
};

/* Encode into a new sealed memfd (close-on-exec).  Borrows all.  Returns 0 or -errno. */
int logspec_write(const struct logspec *specs, size_t count, int *ret_fd);

/* Decode.  Borrows `fd`.  -EBADMSG: not a table.  On success logspec_done() frees it. */
int logspec_read(int fd, struct logspec_table *ret_table);

void logspec_done(struct logspec_table *table);

/* Bytes of all texts of a spec with their NULs. */
size_t logspec_text_size(const struct logspec *spec);

/* Copy a spec with its texts behind each other to `at`; returns what follows them. */
char *logspec_copy(const struct logspec *spec, char *at, struct logspec *ret_copy);

/* The spec of a stream, or NULL. */
const struct logspec *logspec_find(
    const struct logspec_table *table, uint32_t row, uint16_t stream);

#endif
