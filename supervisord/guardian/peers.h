/* SPDX-License-Identifier: ISC */
/*
 * peers.h: engine and logger as the guardian sees them: started, listened to, given what is held,
 * and started again.
 */
#ifndef GUARDIAN_PEERS_H
#define GUARDIAN_PEERS_H

#include <stdint.h>

struct guardian;

/* Start one now.  A failure counts as a crash and is tried again. */
void peers_start_engine(struct guardian *g);
void peers_start_logger(struct guardian *g);

/* Start what is due at this time. */
void peers_start_due(struct guardian *g, int64_t now_ns);

/* Their channels are readable.  Bounded. */
void peers_read_engine(struct guardian *g);
void peers_read_logger(struct guardian *g);

/* Send what they have yet to get, as far as it goes without waiting. */
void peers_deliver(struct guardian *g);

/* One was reaped; `wstatus` as of wait(2). */
void peers_note_engine_end(struct guardian *g, int wstatus);
void peers_note_logger_end(struct guardian *g, int wstatus);

/* -d: the waiting parent learns, once, how the start went. */
void peers_tell_started(struct guardian *g, int code);

#endif
