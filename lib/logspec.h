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

/* daemon of syslog(3). */
#define LOGSPEC_FACILITY 3

enum logspec_rotate { LOGSPEC_NEVER, LOGSPEC_HOURLY, LOGSPEC_DAILY, LOGSPEC_WEEKLY };
enum logspec_compress { LOGSPEC_PLAIN, LOGSPEC_GZIP, LOGSPEC_ZSTD };
/* How a line is written; logger/form.h has what each looks like. */
enum logspec_format { LOGSPEC_RAW, LOGSPEC_STAMP, LOGSPEC_JSON, LOGSPEC_PREFIX };
/* What becomes of lines that a target cannot take: wait in the pipe, or be counted and gone. */
enum logspec_full { LOGSPEC_BLOCK, LOGSPEC_DROP };

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
	NUMBER(bool, shared)                  /* other specs have this path; logspec_write() sets it */ \
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
	NUMBER(uint32_t, gid) \
	NUMBER(enum logspec_format, format) \
	NUMBER(enum logspec_full, full) \
	NUMBER(uint32_t, line_max)            /* bytes; 0: LIMIT_LOG_LINE */ \
	NUMBER(uint32_t, facility)            /* of syslog; 0: LOGSPEC_FACILITY */ \
	NUMBER(uint64_t, memory)              /* of all streams; in the row of the daemon's own */

/*
 * targets: a line each, NULL: only the file.
 *   log                     the file; without it path is empty
 *   unix:PATH               syslog's socket here
 *   udp:HOST:PORT           syslog elsewhere, HOST being a number
 *   tcp:HOST:PORT
 *   journal:PATH            systemd-journald's socket
 *   inherit:FORMAT          descriptor 1 or 2 of supervisord; raw, prefix or json
 *   row:N                   standard input of the program of that row
 */
#define LOGSPEC_TEXTS(TEXT) \
	TEXT(name) /* instance, for messages */ \
	TEXT(path) /* absolute */ \
	TEXT(targets) \
	TEXT(tag)  /* for syslog and journal; NULL: the name */

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
