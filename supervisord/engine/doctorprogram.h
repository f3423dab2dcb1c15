/* SPDX-License-Identifier: ISC */
/*
 * doctorprogram.h: what would keep one program from running: the real launch plan, up to exec.
 */
#ifndef ENGINE_DOCTORPROGRAM_H
#define ENGINE_DOCTORPROGRAM_H

#include "lib/ledger.h"
#include "supervisord/engine/config.h"
#include "supervisord/engine/findings.h"

/* Add what is found to `findings`; `ledger` is only read. */
void doctorprogram_look(struct findings *findings, const struct config *config,
    const struct program_config *program, const struct ledger *ledger);

#endif
