/* SPDX-License-Identifier: ISC */
/*
 * notifyparse.h: one datagram of sd_notify(3), read.  Pure.
 *
 * A datagram is lines "NAME=VALUE".  What is not understood is left out, as sd_notify(3) demands:
 * an unknown name, a number that is none, a line with a NUL byte in it.  Of a name that comes twice
 * the last line counts.
 */
#ifndef ENGINE_NOTIFYPARSE_H
#define ENGINE_NOTIFYPARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/limits.h"

/* Bytes of an FDNAME with its NUL (sd_pid_notify_with_fds(3)). */
#define NOTIFY_FDNAME 256

/* Numbers are -1 where nothing (sensible) was said; one past INT64_MAX, such as systemd's
 * "infinity", is INT64_MAX. */
struct notify_message {
	bool ready;
	bool reloading;
	bool stopping;
	bool watchdog;
	bool watchdog_trigger;
	bool barrier;
	bool fdstore;
	bool fdstore_remove;
	bool has_status;
	int64_t error; /* ERRNO, 0 to 4095 */
	int64_t main_pid;
	int64_t monotonic_us;
	int64_t extend_us;
	int64_t watchdog_us;
	/* Cut to fit at a whole UTF-8 character and marked with "…"; control characters are blanks,
	 * what is not UTF-8 is "?". */
	char status[LIMIT_STATUS_TEXT];
	char fdname[NOTIFY_FDNAME]; /* "": not said, or not allowed */
};

/* Any bytes are a message. */
void notify_parse(const char *text, size_t length, struct notify_message *ret_message);

/* What may be an FDNAME: 1 to 255 printable ASCII characters without ":". */
bool notify_is_fdname(const char *text, size_t length);

#endif
