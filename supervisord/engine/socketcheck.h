/* SPDX-License-Identifier: ISC */
/*
 * socketcheck.h: why an address cannot be had, before and after it was tried.
 */
#ifndef ENGINE_SOCKETCHECK_H
#define ENGINE_SOCKETCHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "supervisord/engine/config.h"
#include "supervisord/engine/socketaddress.h"

struct socket_owner;

#define SOCKETCHECK_TEXT 512

/*
 * What opening it would run into, as far as that is known without doing it: 0, or the -errno that
 * it would fail with.  An address in use is no such thing: see socketowner.h.
 */
int socketcheck_foresee(const struct socket_config *config, const struct socket_address *address);

/*
 * The sentence for a failure; `listen` is the address as it is written, `owner` who has it (NULL:
 * nobody is known).  Returns `buffer`.
 */
const char *socketcheck_explain(int error, const char *listen, const struct socket_address *address,
    const struct socket_owner *owner, char buffer[SOCKETCHECK_TEXT]);

#endif
