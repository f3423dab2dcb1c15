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

#include "supervisord/engine/config.h"

struct engine;
struct op;

/*
 * Read the files, and apply them if all are good.  `uid`: who asked, or HISTORY_NO_UID.  `op` (may
 * be NULL) gets the steps and the programs to wait for.  Returns 0, or -errno with *errors filled
 * in; then nothing has changed.
 */
int apply_files(struct engine *engine, uint32_t uid, struct op *op, struct config_errors *errors);

/*
 * Adopt what the ledger has and make it agree with `config`, which engine->config becomes; takes it
 * on success.
 */
int apply_first(struct engine *engine, struct config *config);

#endif
