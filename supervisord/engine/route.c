/* SPDX-License-Identifier: ISC */
/* route.c: see route.h. */
#include <string.h>

#include "supervisord/engine/route.h"

#define PROGRAM "program:"

bool route_is_logged(const struct stdio *stdio, enum logspec_format inherit)
{
	return stdio->kind == STDIO_LOG || (stdio->kind == STDIO_INHERIT && inherit != LOGSPEC_RAW);
}

bool route_has_file(const struct stdio *stdio)
{
	const char *target;
	size_t index = 0;

	while ((target = route_next_target(stdio, &index)) != NULL)
		if (strcmp(target, "log") == 0)
			return true;
	return false;
}

const char *route_next_program(const struct stdio *stdio, size_t *index)
{
	const char *target;

	if (stdio->kind == STDIO_PROGRAM)
		return (*index)++ == 0 ? stdio->target : NULL;
	while ((target = route_next_target(stdio, index)) != NULL)
		if (strncmp(target, PROGRAM, strlen(PROGRAM)) == 0)
			return target + strlen(PROGRAM);
	return NULL;
}

const char *route_next_target(const struct stdio *stdio, size_t *index)
{
	const char *target = NULL;

	if (stdio->targets != NULL)
		target = stdio->targets[*index];
	else if (*index == 0 && stdio->kind == STDIO_LOG)
		target = "log";
	else if (*index == 0 && stdio->kind == STDIO_INHERIT)
		target = "inherit";
	*index += target != NULL;
	return target;
}
