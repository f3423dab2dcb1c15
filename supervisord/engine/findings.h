/* SPDX-License-Identifier: ISC */
/*
 * findings.h: what superctl doctor has found, as JSON: type Finding of io.superctl.varlink.
 *
 * Findings of one program are gathered by a process that has become the program's user, and go to
 * their reader as they are: an array's elements, separated by commas.
 */
#ifndef ENGINE_FINDINGS_H
#define ENGINE_FINDINGS_H

#include <stdbool.h>

#include "lib/jsonw.h"

/* How bad it is.  The names are what the API says. */
#define FINDING_LEVELS(X)                                                                          \
	X(OK, "ok")                                                                                \
	X(NOTE, "note")       /* worth knowing */                                                  \
	X(WARNING, "warning") /* may go wrong */                                                   \
	X(PROBLEM, "problem") /* will go wrong */

#define FINDING_ENUM(name, text) FINDING_##name,
enum finding_level { FINDING_LEVELS(FINDING_ENUM) };

struct findings {
	struct jsonw w;
	const char *name; /* of the program, NULL: about the machine */
};

/* `name` is borrowed. */
void findings_init(struct findings *findings, const char *name);
void findings_done(struct findings *findings);

/*
 * Add one.  `check`: what was looked at, a key of the stanza where there is one.  The message ends
 * without a full stop; where there is a next step, it says it.
 */
void findings_add(struct findings *findings, enum finding_level level, const char *check,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Add elements that another process has gathered: JSON with commas between them. */
void findings_add_json(struct findings *findings, const char *elements, size_t length);

#endif
