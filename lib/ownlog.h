/* SPDX-License-Identifier: ISC */
/*
 * ownlog.h: the daemon's own messages, one line each on descriptor 2.
 *
 *   2026-01-31T12:00:00.000Z engine: web: RUNNING -> BACKOFF: exited with status 1
 *
 * A line is one write(2) of at most OWNLOG_LINE bytes, control bytes are shown as \xNN so that no
 * name or message can forge a line.  When descriptor 2 cannot take the line at once (a full pipe, a
 * full disk), it is counted and dropped: no process of ours ever waits for its own log.  The count
 * is told with the next line that gets through.  The only module with state of its own.
 */
#ifndef LIB_OWNLOG_H
#define LIB_OWNLOG_H

#define OWNLOG_LINE 1024

enum ownlog_level { OWNLOG_ERROR, OWNLOG_WARNING, OWNLOG_NOTICE, OWNLOG_DEBUG };

/* `who`: "guardian", "engine", "logger"; borrowed for the life of the process. */
void ownlog_init(const char *who, enum ownlog_level highest);
void ownlog_set_level(enum ownlog_level highest);
/* "error", "warning", "notice", "debug"; NULL when out of range. */
const char *ownlog_level_name(int level);

void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_notice(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
