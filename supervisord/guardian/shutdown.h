/* SPDX-License-Identifier: ISC */
/*
 * shutdown.h: the way down: the engine stops the programs in order; if it cannot, the guardian
 * stops them itself; then the logger writes what is left, and supervisord ends.
 */
#ifndef GUARDIAN_SHUTDOWN_H
#define GUARDIAN_SHUTDOWN_H

#include <stdint.h>

struct guardian;

/* TERM, INT or a request: once is enough. */
void shutdown_begin(struct guardian *g);

/* Go on when what the present phase waits for is there, or its deadline is over. */
void shutdown_check(struct guardian *g, int64_t now_ns);

/* Without the engine: TERM and KILL to what is left.  `why` for the log. */
void shutdown_force(struct guardian *g, const char *why);

/* No program is left, or there never was one: let the logger finish, then end. */
void shutdown_finish(struct guardian *g);

/* The very last: whoever waits for our end sees it by the control socket. */
void shutdown_remove_socket(const struct guardian *g);

/* All has ended: start the machine again, if on_failure = "reboot" asked for it.  Returns when not,
 * or when that cannot be had. */
void shutdown_reboot(const struct guardian *g);

#endif
