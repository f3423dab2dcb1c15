/* SPDX-License-Identifier: ISC */
/*
 * amend.h: a change of the text that is applied, and its apply: superctl scale, set, unset, run and
 * forget.
 *
 * What is to hold until the next apply is put into the text that the guardian holds, as a source
 * beside the files (CONFIG_SET_PATH), and that text is applied as any other one: so all of it is
 * done or nothing, and an engine that is started anew knows it as it knows everything else.
 */
#ifndef ENGINE_AMEND_H
#define ENGINE_AMEND_H

#include <stdbool.h>
#include <stddef.h>

#include "supervisord/engine/config.h"
#include "supervisord/engine/overridetext.h"

struct call;
struct op_request;

/* The sources that are in force, while they are changed. */
struct amend {
	struct call *call;
	struct config_source *list;
	size_t count;
	bool changed;
	const char *file; /* that was written for it, to be told; or NULL */
	const char *name; /* likewise: that the program has got */
};

/* False: answered (shutdown, safe mode). */
bool amend_begin(struct amend *amend, struct call *call);
void amend_done(struct amend *amend);

/* The source of this path, or NULL. */
struct config_source *amend_find(const struct amend *amend, const char *path);

/* Put a source in place of that of its path, or behind all others; NULL removes it.  Copies.  0,
 * -ENOMEM, or -E2BIG: too many sources. */
int amend_put(struct amend *amend, const char *path, const char *text);

/*
 * What superctl set says of a program; empty if it says nothing.  0, or -errno; overridetext_done()
 * is due in both cases.  And the other way round.
 */
int amend_read_set(const struct amend *amend, const char *program, struct overridetext *ret_text);
int amend_write_set(struct amend *amend, const struct overridetext *text);

/* Make a configuration of it, which is gone from it then.  False: it is not good, which was
 * answered. */
bool amend_load(struct amend *amend, struct config **ret_config);

/* Apply that, which it takes, and answer the call.  False: nothing has changed. */
bool amend_commit(struct amend *amend, const struct op_request *request, struct config *config);

/* Both.  False: nothing has changed, which was answered. */
bool amend_apply(struct amend *amend, const struct op_request *request);

/* Answer that it failed: with the errors of a configuration, if there are any. */
void amend_tell_problem(struct call *call, int error, const struct config_errors *errors);

#endif
