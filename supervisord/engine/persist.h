/* SPDX-License-Identifier: ISC */
/*
 * persist.h: a change of an override that is also written down: superctl set --persist, unset
 * --persist, enable and disable.
 *
 * The file of the program (dropin.h) and its copy in the applied text get the same change, each on
 * its own, so that nothing else that has happened to the files is applied with it.  Both results
 * are checked as whole configurations first.  Then the file is written, then the text is applied;
 * who is killed between the two leaves what the next apply would do, and plan says so.
 */
#ifndef ENGINE_PERSIST_H
#define ENGINE_PERSIST_H

#include "supervisord/engine/amend.h"
#include "supervisord/engine/dropin.h"

struct persist {
	struct amend *amend;
	const char *program;
	struct config *files;                /* as they are on the disk */
	const struct program_config *stanza; /* of them: the program, or its first instance */
	struct dropin dropin;
	struct overridetext disk;    /* of the file, to be changed */
	struct overridetext applied; /* of its copy that is in force, likewise */
};

/* Read the files, and what is persisted of the program.  False: answered.  persist_done() is due in
 * both cases. */
bool persist_begin(struct persist *persist, struct amend *amend, const char *program);
void persist_done(struct persist *persist);

/* The files as they will be.  False: they would not be good, which was answered. */
bool persist_check(const struct persist *persist, struct config **ret_config);

/* Write the file, apply what is in amend with the copy changed, and answer.  False: nothing has
 * changed. */
bool persist_finish(struct persist *persist, const struct op_request *request);

#endif
