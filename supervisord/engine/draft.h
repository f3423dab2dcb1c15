/* SPDX-License-Identifier: ISC */
/*
 * draft.h: the configuration that a command would put in force: made and checked as a whole, with
 * its text, and not applied yet.
 */
#ifndef ENGINE_DRAFT_H
#define ENGINE_DRAFT_H

#include <stddef.h>

#include "lib/jsonw.h"
#include "supervisord/engine/config.h"

struct engine;

/* What a command names: programs, groups, globs over programs, "all"; none: everything. */
struct draft_names {
	size_t count;
	const char *const *list;
	struct jsonw *left; /* gets what differs in the files beside it and stays as it is applied:
			     * elements of an array, "socket http"; NULL: nobody wants to know */
};

/* Why there is none. */
struct draft_problem {
	struct config_errors errors;
	const char *missing; /* the name that neither files nor applied configuration have */
	char *nearest;       /* what was meant by it, or NULL */
};

/*
 * The files; of names, what they say of these programs and groups, and of sockets that these use
 * and that are new, the rest being as it is applied.
 * The files as a whole must be good in both cases.  0, or -errno with *problem filled in
 * (draft_problem_done() in each case; zeroed before): -EINVAL errors, -ENOENT missing, -ENODATA
 * what is applied is lost (safe mode), so that there is nothing to mix with.
 */
int draft_from_files(const struct engine *engine, const struct draft_names *names,
    struct config **ret_config, struct draft_problem *problem);

void draft_problem_done(struct draft_problem *problem);

#endif
