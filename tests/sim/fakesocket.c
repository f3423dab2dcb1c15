/* SPDX-License-Identifier: ISC */
/*
 * fakesocket.c: sockets.h and listenfds.h of a world in which all sockets are open: whether
 * somebody waits in one is world->callers.
 */
#include "supervisord/engine/engine.h"
#include "supervisord/engine/listenfds.h"
#include "supervisord/engine/socketdiff.h"
#include "supervisord/engine/sockets.h"
#include "supervisord/engine/sockettable.h"
#include "tests/sim/fake.h"
#include "tests/sim/stanza.h"

int sockets_open(struct engine *engine, const struct config *config, struct config_errors *errors)
{
	(void)engine;
	(void)config;
	(void)errors;
	return 0;
}

int sockets_use(struct engine *engine)
{
	(void)engine;
	return 0;
}

void sockets_done(struct sockets *sockets)
{
	(void)sockets;
}

void sockets_remove_files(const struct engine *engine)
{
	(void)engine;
}

const char *sockets_find_missing(const struct engine *engine, const struct program_config *program)
{
	(void)engine;
	(void)program;
	return NULL;
}

int listenfds_add(struct program *program, char **environment, size_t *count,
    struct launch_fd *extra, size_t *extra_count, enum launch_step *ret_step)
{
	(void)program;
	(void)environment;
	(void)count;
	(void)extra;
	(void)extra_count;
	(void)ret_step;
	return 0;
}

/* One socket each, of those that are started on demand; where it is known by the program. */
int sockets_of_program(struct engine *engine, const struct program_config *program, int *fds,
    const char **names, size_t *ret_count)
{
	(void)engine;
	*ret_count = 0;
	if (program->life->key_sockets == NULL)
		return 0;
	fds[0] = FAKE_SOCKET + stanza_index(program->name);
	names[0] = program->life->key_sockets[0];
	*ret_count = 1;
	return 0;
}

/* Nobody stays connected. */
void sockettable_each(const struct socket_address *address,
    bool (*each)(void *context, const struct socket_entry *entry), void *context)
{
	(void)address;
	(void)each;
	(void)context;
}

int socketdiff_each(const struct config *old_config, const struct config *new_config,
    void (*each)(void *context, const char *name, const char *action, const char *reason),
    void *context)
{
	(void)old_config;
	(void)new_config;
	(void)each;
	(void)context;
	return 0;
}
