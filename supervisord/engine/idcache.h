/* SPDX-License-Identifier: ISC */
/*
 * idcache.h: resolved users, shared by the programs that run as them.
 *
 * A restart storm must not read passwd(5) each time, and a thousand programs of one user need one
 * copy. Looked up again at each apply, so that a change of the user database is seen then, and a
 * launch later on does not wait for a server of users that does not answer.
 */
#ifndef ENGINE_IDCACHE_H
#define ENGINE_IDCACHE_H

#include "supervisord/engine/config.h"
#include "supervisord/engine/ids.h"

struct idcache_entry;

struct idcache {
	struct idcache_entry *first;
};

/*
 * As ids_resolve().  The result belongs to the cache and is valid until idcache_clear().
 */
int idcache_get(
    struct idcache *cache, const char *user, const char *group, const struct ids **ret_ids);

void idcache_clear(struct idcache *cache);

/* Look up the users of all programs anew, which the load of the configuration has just done.  A
 * user that is not found ends it: the launches do the rest, and say what is wrong. */
void idcache_fill(struct idcache *cache, const struct config *config);

#endif
