/* SPDX-License-Identifier: ISC */
/*
 * conftake.h: a load while it reads files, and what becomes of each stanza that it finds.
 *
 * confload.c walks through the files; here each value that is written goes to its place in the
 * build (confbuild.h).  What is wrong is reported and the rest taken, so that all errors are told.
 */
#ifndef ENGINE_CONFTAKE_H
#define ENGINE_CONFTAKE_H

#include "supervisord/engine/confbuild.h"
#include "supervisord/engine/confsource.h"
#include "supervisord/engine/confstamp.h"
#include "supervisord/engine/parse.h"

struct loader {
	struct build build;
	struct confreport report;
	struct confsource_id *ids; /* of each source read */
	size_t source_room;
	struct confstamp *stamp;                 /* the caller's; of what is read from files */
	struct config_instead instead;
	size_t bytes;                            /* of all sources */
	size_t stack[LIMIT_CONFIG_INCLUDES + 1]; /* sources being read: each includes the next */
	size_t depth;

	/* Of the source at hand. */
	size_t source;
	string_list include;
	int include_line;
};

/* For parse_text(), with a struct loader as its context.  0 or -ENOMEM. */
int conftake_stanza(void *context, const struct stanza *stanza);

#endif
