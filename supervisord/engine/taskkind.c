/* SPDX-License-Identifier: ISC */
/* taskkind.c: see taskkind.h. */
#include "supervisord/engine/taskkind.h"

#define NAME(name, text) text,
static const char *const names[] = {TASK_KINDS(NAME)};
#undef NAME

const char *task_kind_name(enum task_kind kind)
{
	return names[kind];
}
