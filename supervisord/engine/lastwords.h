/* SPDX-License-Identifier: ISC */
/*
 * lastwords.h: what a failed run wrote last: asked of the logger, kept in the history.
 *
 * Neither waits for the other.  A request waits in the socket for a logger that is being started,
 * an answer for an engine; what is lost with either is asked for again when somebody looks at the
 * run.
 */
#ifndef ENGINE_LASTWORDS_H
#define ENGINE_LASTWORDS_H

#include <stdint.h>

struct engine;
struct program;

/* Hear the logger, until the end. */
void lastwords_start(struct engine *engine);

/* A run of it has just ended: ask, if it failed and they are worth it. */
void lastwords_note_end(struct program *program, uint64_t run);

/* Somebody looks at this run: ask again if there was no answer.  Returns the text or NULL. */
const char *lastwords_find(const struct program *program, uint64_t run);

#endif
