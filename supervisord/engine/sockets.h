/* SPDX-License-Identifier: ISC */
/*
 * sockets.h: the sockets of the configuration: open, held by the guardian, and given to programs.
 *
 * A held socket is known by its address (socketaddress_hash() is the rest of its key), and what it
 * is called and who gets it is said by the configuration alone.  So there is no other state: an
 * engine that is killed at any point finds what is held, and the configuration that was applied
 * says what of it is wanted, what is missing and what is to be closed.
 */
#ifndef ENGINE_SOCKETS_H
#define ENGINE_SOCKETS_H

#include <stddef.h>
#include <stdint.h>

#include "supervisord/engine/config.h"
#include "supervisord/engine/launch.h"
#include "supervisord/engine/socketaddress.h"

struct engine;
struct program;

/* One address of one socket of the configuration that is in force. */
struct listener {
	const struct socket_config *config;
	const char *text; /* as written there */
	struct socket_address address;
	int slot; /* -1: it is not open, for what was said in the log */
};

struct sockets {
	struct listener *list; /* by socket, its addresses in their order */
	size_t count;
};

/*
 * For an apply: open what `config` has and is not open yet.  0; or -EINVAL with *errors filled in,
 * or another -errno: then nothing new is open.
 */
int sockets_open(struct engine *engine, const struct config *config, struct config_errors *errors);

/*
 * engine->config has just changed: close what it has no more, give the rest its present options,
 * and try once more for what is not open.  0 or -ENOMEM.
 */
int sockets_use(struct engine *engine);

void sockets_done(struct sockets *sockets);

/* The daemon ends: remove the files that are to be removed. */
void sockets_remove_files(const struct engine *engine);

/*
 * What is known to be wrong with the sockets of `config` on this machine, and addresses that others
 * have, as notes.  `engine` (may be NULL) knows what is ours.
 */
void sockets_check(const struct engine *engine, const struct config *config,
    struct config_errors *errors, struct config_errors *notes);

/*
 * The sockets of a program, in its order: writes at most LIMIT_PROGRAM_SOCKETS descriptors (they
 * stay ours) and their names (of the configuration).  Gives their number.  Opens what is not open,
 * as far as that is possible now.  0 or -errno.
 */
int sockets_of_program(struct engine *engine, const struct program_config *program, int *fds,
    const char **names, size_t *ret_count);

/* The first socket of a program that is not open, or NULL. */
const char *sockets_find_missing(const struct engine *engine, const struct program_config *program);

#endif
