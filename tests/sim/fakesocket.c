/* SPDX-License-Identifier: ISC */
/* fakesocket.c: no program of this world has a socket: sockets.h and listenfds.h without any. */
#include "supervisord/engine/demand.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/listenfds.h"
#include "supervisord/engine/sockets.h"

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

/* ---- demand.h ---- */

bool demand_is_there(struct program *program)
{
	(void)program;
	return false;
}

void demand_attend(struct program *program)
{
	(void)program;
}

void demand_end(struct program *program)
{
	(void)program;
}

void demand_end_all(struct engine *engine)
{
	(void)engine;
}
