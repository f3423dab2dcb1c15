/* SPDX-License-Identifier: ISC */
/*
 * logspecs.h: what the logger is told about every log: lib/logspec.h's table from the stanzas.
 */
#ifndef ENGINE_LOGSPECS_H
#define ENGINE_LOGSPECS_H

struct engine;

/* Make the table of all instances and give it to the guardian, for the logger.  0 or -errno. */
int logspecs_hold(struct engine *engine);

#endif
