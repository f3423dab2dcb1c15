/* SPDX-License-Identifier: ISC */
/*
 * apply.h: make what exists agree with a configuration.
 *
 * One path for all cases: the first start, `superctl apply` and SIGHUP, and a new engine that finds
 * a ledger.  What has to be done follows from the ledger and the configuration alone, so an engine
 * that is killed in the middle of an apply leaves nothing half done: the next one comes here and
 * finds the rest.
 */
#ifndef ENGINE_APPLY_H
#define ENGINE_APPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisord/engine/config.h"
#include "supervisord/engine/reason.h"

struct engine;
struct jsonw;
struct op;

/*
 * Put a configuration in force that was made by draft.h; takes it on success.  Returns 0, or -errno
 * (-EINVAL with request->errors filled in, -EBUSY while another one is on trial): then nothing has
 * changed.
 */
struct apply_request {
	uint32_t uid;       /* who asked, or HISTORY_NO_UID */
	enum applied_by by; /* likewise */
	struct op *op; /* gets the steps and the programs to wait for; or NULL */
	struct config_errors *errors;
	bool values;            /* its steps are told with what each changed key was and is */
	const char *file;       /* that was written for it; or NULL */
	const char *name;       /* of the program that it is about, where that is news; or NULL */
	bool rollback;          /* on trial, see trial.h */
	int64_t deadline_ns;    /* of the trial; 0: none */
	const struct jsonw *left; /* draft_names.left, which the client is told; or NULL */
	const char *taken_back; /* it is the one from before: why; NULL: it is not */
};

int apply_config(struct engine *engine, const struct apply_request *request, struct config *config);

/*
 * Adopt what the ledger has and make it agree with `config`, which engine->config becomes; takes it
 * on success.
 */
int apply_first(struct engine *engine, struct config *config);

#endif
