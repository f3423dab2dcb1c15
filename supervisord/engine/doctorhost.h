/* SPDX-License-Identifier: ISC */
/* doctorhost.h: what the kernel, the container and our own rights allow. */
#ifndef ENGINE_DOCTORHOST_H
#define ENGINE_DOCTORHOST_H

#include "lib/ledger.h"
#include "supervisord/engine/config.h"
#include "supervisord/engine/findings.h"

/* `untracked`: why runs have no cgroups, "" when they do. */
void doctorhost_look(struct findings *findings, const struct config *config,
    const struct ledger *ledger, const char *untracked);

#endif
