/* SPDX-License-Identifier: ISC */
/*
 * logact.h: what an operator does to logs: rotate, reopen, clear.
 *
 * A request is one message with the client's connection; it is done at once, between two writes,
 * and answered on that connection in one Varlink message: {"files":[…]}, the paths it was about, or
 * an error.
 */
#ifndef LOGGER_LOGACT_H
#define LOGGER_LOGACT_H

#include "lib/protocol.h"
#include "supervisord/logger/specs.h"
#include "supervisord/logger/stream.h"

/* Is this one of the messages of such a request? */
bool logact_is_request(uint32_t type);

/* Do it and answer; takes `conn` in any case. */
void logact_serve_consume(struct stream_world *world, const struct specs *specs,
    enum msg_type type, const struct msg_log_act *request, int conn);

/*
 * The three themselves, for one file.  Return 0 or -errno.
 *
 * rotate: now, or at the end of the line that is open.  An empty log stays.
 */
int logact_rotate(struct stream_world *world, struct logfile *file, const struct logspec *spec);

/* Have what stands at the path open, now or at the end of the line that is open; made if need be. */
int logact_reopen(struct logfile *file, const struct logspec *spec);

/* Remove the archives and empty the log.  What is written from now on stays. */
int logact_clear(struct logfile *file, const struct logspec *spec);

#endif
