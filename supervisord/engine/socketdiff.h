/* SPDX-License-Identifier: ISC */
/* socketdiff.h: what an apply does to sockets, for people: sockets.h does it.  Pure. */
#ifndef ENGINE_SOCKETDIFF_H
#define ENGINE_SOCKETDIFF_H

#include "supervisord/engine/config.h"

/*
 * Call `each` with every socket that differs, by name: what is done ("open", "close", "live") and
 * why.  0 or -ENOMEM.
 */
int socketdiff_each(const struct config *old_config, const struct config *new_config,
    void (*each)(void *context, const char *name, const char *action, const char *reason),
    void *context);

#endif
