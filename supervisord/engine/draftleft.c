/* SPDX-License-Identifier: ISC */
/* draftleft.c: see draftleft.h. */
#include <stdio.h>
#include <string.h>

#include "lib/limits.h"
#include "supervisord/engine/draftleft.h"
#include "supervisord/engine/driftlook.h"
#include "supervisord/engine/instname.h"
#include "supervisord/engine/plan.h"
#include "supervisord/engine/socketdiff.h"

#define TEXT 256

struct left {
	struct jsonw *w;
	size_t count;
	char last[LIMIT_NAME]; /* program that was told: its instances are one */
};

static void tell(struct left *left, const char *kind, const char *name);
static void tell_program(void *context, const char *name);
static void tell_new_programs(
    struct left *left, const struct config *mixed, const struct config *files);
static void tell_socket(void *context, const char *name, const char *action, const char *reason);

void draftleft_write(const struct config *mixed, const struct config *files, struct jsonw *w)
{
	struct left left = {.w = w};
	char text[TEXT];

	if (plan_settings_reason(mixed, files, text, sizeof(text))[0] != '\0')
		tell(&left, "", text);
	/* Without memory it tells less. */
	(void)socketdiff_each(mixed, files, tell_socket, &left);
	(void)driftlook_compare(mixed, files, tell_program, &left);
	tell_new_programs(&left, mixed, files);
	if (left.count > LIMIT_DRAFT_LEFT) {
		(void)snprintf(text, sizeof(text), "%zu more", left.count - LIMIT_DRAFT_LEFT);
		jsonw_string(w, text);
	}
}

static void tell(struct left *left, const char *kind, const char *name)
{
	char text[TEXT];

	if (left->count++ >= LIMIT_DRAFT_LEFT)
		return;
	(void)snprintf(text, sizeof(text), "%s%s", kind, name);
	jsonw_string(left->w, text);
}

static void tell_program(void *context, const char *name)
{
	struct left *left = context;
	struct instname parts;

	instname_split(name, &parts);
	if (strcmp(left->last, parts.program) == 0)
		return;
	memcpy(left->last, parts.program, strlen(parts.program) + 1);
	tell(left, "program ", parts.program);
}

static void tell_new_programs(
    struct left *left, const struct config *mixed, const struct config *files)
{
	for (size_t i = 0; i < files->program_count; i++) {
		struct instname parts;

		instname_split(files->programs[i]->name, &parts);
		if (!files->programs[i]->surge && config_count_instances(mixed, parts.program) == 0)
			tell_program(left, files->programs[i]->name);
	}
}

static void tell_socket(void *context, const char *name, const char *action, const char *reason)
{
	(void)action;
	(void)reason;
	tell(context, "socket ", name);
}
