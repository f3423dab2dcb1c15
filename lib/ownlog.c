/* SPDX-License-Identifier: ISC */
/* ownlog.c: see ownlog.h.  Neither allocates nor blocks: the guardian uses it. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/ownlog.h"

static struct {
	const char *who;
	enum ownlog_level highest;
	unsigned long dropped;
	time_t second; /* what stands in `date`; a start of 1000 says 2000 lines */
	char date[sizeof("2026-01-31T23:59:59") + 16];
} own = {.who = "supervisord", .highest = OWNLOG_NOTICE};

static const char *const level_names[] = {"error", "warning", "notice", "debug"};

static void emit(enum ownlog_level level, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));
static void write_line(const char *line, size_t length);
static size_t format_head(char *line, size_t size, enum ownlog_level level);
static void format_date(time_t second);
static size_t append_visible(char *line, size_t at, size_t size, const char *text);

void ownlog_init(const char *who, enum ownlog_level highest)
{
	own.who = who;
	own.highest = highest;
}

void ownlog_set_level(enum ownlog_level highest)
{
	own.highest = highest;
}

const char *ownlog_level_name(int level)
{
	return level >= OWNLOG_ERROR && level <= OWNLOG_DEBUG ? level_names[level] : NULL;
}

#define DEFINE_LEVEL(function, level)                                                              \
	void function(const char *format, ...)                                                     \
	{                                                                                          \
		va_list arguments;                                                                 \
                                                                                                   \
		va_start(arguments, format);                                                       \
		emit(level, format, arguments);                                                    \
		va_end(arguments);                                                                 \
	}

DEFINE_LEVEL(log_error, OWNLOG_ERROR)
DEFINE_LEVEL(log_warning, OWNLOG_WARNING)
DEFINE_LEVEL(log_notice, OWNLOG_NOTICE)
DEFINE_LEVEL(log_debug, OWNLOG_DEBUG)

static void emit(enum ownlog_level level, const char *format, va_list arguments)
{
	char text[OWNLOG_LINE], line[OWNLOG_LINE];
	int saved = errno;
	size_t at;

	if (level > own.highest)
		return;
	(void)vsnprintf(text, sizeof(text), format, arguments);
	at = format_head(line, sizeof(line), level);
	at = append_visible(line, at, sizeof(line) - 1, text);
	line[at++] = '\n';
	write_line(line, at);
	errno = saved;
}

static size_t format_head(char *line, size_t size, enum ownlog_level level)
{
	struct timespec now;
	int length;

	clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec != own.second || own.date[0] == '\0')
		format_date(now.tv_sec);
	length = snprintf(line, size, "%s.%03ldZ %s: %s%s", own.date, now.tv_nsec / 1000000,
	    own.who, level == OWNLOG_NOTICE ? "" : level_names[level],
	    level == OWNLOG_NOTICE ? "" : ": ");
	return length > 0 && (size_t)length < size ? (size_t)length : 0;
}

static void format_date(time_t second)
{
	struct tm utc;

	gmtime_r(&second, &utc);
	(void)snprintf(own.date, sizeof(own.date), "%04d-%02d-%02dT%02d:%02d:%02d",
	    utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
	own.second = second;
}

static size_t append_visible(char *line, size_t at, size_t size, const char *text)
{
	for (; *text != '\0'; text++) {
		unsigned char byte = (unsigned char)*text;

		if (byte >= 0x20 && byte != 0x7f) {
			if (at + 1 > size)
				break;
			line[at++] = (char)byte;
		} else {
			if (at + 5 > size)
				break;
			at += (size_t)snprintf(line + at, size - at, "\\x%02x", byte);
		}
	}
	return at;
}

static void write_line(const char *line, size_t length)
{
	struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
	char note[64];
	int note_length;

	/* A pipe is writable when PIPE_BUF bytes fit, so a line of ours cannot block after this. */
	if (poll(&out, 1, 0) != 1 || !(out.revents & POLLOUT)) {
		own.dropped++;
		return;
	}
	if (own.dropped > 0) {
		note_length = snprintf(
		    note, sizeof(note), "(%lu own messages were dropped here)\n", own.dropped);
		if (write(STDERR_FILENO, note, (size_t)note_length) == note_length)
			own.dropped = 0;
		if (poll(&out, 1, 0) != 1 || !(out.revents & POLLOUT)) {
			own.dropped++;
			return;
		}
	}
	if (write(STDERR_FILENO, line, length) < 0)
		own.dropped++;
}
