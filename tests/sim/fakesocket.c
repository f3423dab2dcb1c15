/* SPDX-License-Identifier: ISC */
/*
 * fakesocket.c: sockets.h, listenfds.h and peer.h of a world in which all sockets are open: whether
 * somebody waits in one is world->callers.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>

#include "supervisord/engine/engine.h"
#include "supervisord/engine/listenfds.h"
#include "supervisord/engine/peer.h"
#include "supervisord/engine/socketdiff.h"
#include "supervisord/engine/sockets.h"
#include "supervisord/engine/sockettable.h"
#include "tests/sim/checks.h"
#include "tests/sim/fake.h"
#include "tests/sim/stanza.h"
#include "tests/sim/steps.h"

int __wrap_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags);

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
	fds[0] = FAKE_SOCKET + world_socket(stanza_index(program->name));
	names[0] = program->life->key_sockets[0];
	*ret_count = 1;
	return 0;
}

/* ---- accept(2), peer.h ---- */

int __wrap_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
{
	int program = fd - FAKE_SOCKET;

	(void)address;
	(void)length;
	(void)flags;
	steps_effect();
	if (world->callers[program] == 0) {
		errno = EAGAIN;
		return -1;
	}
	world->engine.peer = world_roll(2);
	world->engine.peer_gone = !world->calm && world_chance(3); /* now and then */
	check_accept(program);
	world->callers[program]--;
	steps_effect();
	return FAKE_CONNECTION + program;
}

int peer_of(int fd, struct peer *ret_peer)
{
	(void)fd;
	if (world->engine.peer_gone)
		return -ENOTCONN;
	*ret_peer = (struct peer){.address.ss_family = AF_UNIX, .uid = (uid_t)world->engine.peer};
	return 0;
}

const char *peer_text(const struct peer *peer, char *buffer, size_t size)
{
	(void)peer;
	(void)snprintf(buffer, size, "somebody");
	return buffer;
}

int peer_add(const struct peer *peer, char **environment, size_t *count)
{
	(void)peer;
	(void)environment;
	(void)count;
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
