/* SPDX-License-Identifier: ISC */
/* record.h: a program as JSON: type Program of io.superctl.varlink, and nothing else anywhere. */
#ifndef ENGINE_RECORD_H
#define ENGINE_RECORD_H

#include "lib/jsonw.h"
#include "supervisord/engine/program.h"

/* `reader`: as of program_reason().  `detail`: look into /proc for memory and CPU time of the main
 * process. */
void record_write(struct jsonw *w, const struct program *program,
    const struct control_client *reader, bool detail);

/* How the processes of a run are known: "cgroup" or "session". */
const char *record_tracking(const struct engine *engine);

/* "2026-01-31T12:00:00.000Z" of a wall clock time.  Returns `buffer`. */
#define RECORD_TIME 40
const char *record_time(int64_t wall_ns, char *buffer, size_t size);

#endif
