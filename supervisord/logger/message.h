/* SPDX-License-Identifier: ISC */
/*
 * message.h: a line as a message of a log protocol.  Pure.
 *
 * syslog: RFC 5424, without structured data:
 *
 *   <PRI>1 TIME HOST TAG PID STREAM TEXT
 *
 * Control bytes of the text but TAB become #ooo (octal), as receivers do it themselves: so no line
 * can end a message early.
 *
 * journal: the native protocol of systemd-journald, fields as KEY=VALUE lines, or with a length
 * where a value is not plain text.
 *
 * The severity is info for standard output, err for standard error, and notice for what the logger
 * says itself.
 */
#ifndef LOGGER_MESSAGE_H
#define LOGGER_MESSAGE_H

#include <stdbool.h>

#include "lib/jsonw.h"
#include "supervisord/logger/form.h"

/* Bytes of HOST and TAG, with the NUL: RFC 5424 allows that many. */
#define MESSAGE_HOST_SIZE 256
#define MESSAGE_TAG_SIZE  49

struct message {
	const struct origin *origin;
	const char *time; /* of origin->wall_ns, by stamp_get() */
	const char *host; /* of syslog */
	const char *text;
	size_t length;
	bool is_note; /* of the logger itself */
};

/* Add the message to `out`, without any framing. */
void message_write_syslog(struct jsonw *out, const struct message *message);
void message_write_journal(struct jsonw *out, const struct message *message);

#endif
