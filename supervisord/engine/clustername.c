/* SPDX-License-Identifier: ISC */
/* clustername.c: see clustername.h. */
#include <stdio.h>
#include <string.h>

#include "supervisord/engine/cluster.h"
#include "supervisord/engine/clustername.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/instname.h"

bool clustername_is_primary(const struct program *program)
{
	const char *name = program->config->name, *suffix = strchr(name, '+');

	return suffix != NULL && strcmp(suffix, CLUSTER_SUFFIX) == 0;
}

struct program *clustername_find_primary(const struct program *worker)
{
	struct instname parts;
	char name[LIMIT_NAME + sizeof(CLUSTER_SUFFIX)];

	if (worker->config->life->key_cluster == CLUSTER_NONE)
		return NULL;
	instname_split(worker->config->name, &parts);
	(void)snprintf(name, sizeof(name), "%s" CLUSTER_SUFFIX, parts.program);
	return engine_find(worker->engine, name);
}

uint32_t clustername_slot(const struct program *worker)
{
	return instname_number(worker->config->name) - 1;
}
