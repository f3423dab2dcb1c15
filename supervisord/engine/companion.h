/* SPDX-License-Identifier: ISC */
/*
 * companion.h: programs that stand beside those of stanzas: filters of logs (conffilter.c),
 * primaries of clusters (confcluster.c).  They are made when all has been checked, and from then on
 * are programs like any other.
 *
 * Nothing of `defaults` is for them but what the program has of it: their other keys are those of
 * keys.h.
 */
#ifndef ENGINE_COMPANION_H
#define ENGINE_COMPANION_H

#include "supervisord/engine/confbuild.h"

/* What stands beside the programs of one kind. */
struct companion_kind {
	bool (*has)(const struct build_program *owner);
	/* Makes it; given, see companion_new().  0 or -errno. */
	int (*make)(struct build *build, const struct build_program *owner,
	    struct build_program *ret_companion);
	/* What having one of that name means for the owner.  0 or -errno. */
	int (*join)(struct build *build, struct build_program *owner, const char *name);
};

/* One for each program that is to have one, in their places by name.  0 or -errno. */
int companion_add_all(struct build *build, const struct companion_kind *kind);

/* One with the values that `owner` has of the keys that are `shared`.  Given; build_free_program()
 * until it is added.  0 or -errno. */
int companion_new(struct build *build, const struct build_program *owner, const char *name,
    const enum program_key *shared, size_t shared_count, struct build_program *ret_companion);

/* The owner waits at its start until the companion has a process, and goes on without it. */
int companion_want(struct build *build, struct build_program *owner, const char *name);

/* A copy of a list of `owner` whose %{name} is the owner's, for whom it is written. */
int companion_copy_names(const char *owner, string_list list, string_list *ret_copy);

#endif
