/* SPDX-License-Identifier: ISC */
/*
 * confcontrol.c: control { … }: the users and groups of its rules as this system knows them.
 *
 * A user that does not exist is an error like that of a program, so that a word that is wrong is
 * told.  In a configuration that was accepted before it is none: the rule is then about nobody
 * (access_take_config() says so), for a new engine must go on whatever has become of the users.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "supervisord/engine/confbuild.h"
#include "supervisord/engine/ids.h"

static int add_rule(struct build *build, const char *text);
static int look_up(struct right_rule *rule);
static int check_group(struct build *build);
static void complain(
    struct build *build, enum setting_key key, bool is_group, const char *name, int error);

int build_finish_control(struct build *build)
{
	struct config *config = &build->whole->config;
	const string_list allow = config->settings.key_control_allow;
	size_t count = 0;
	int error = 0;

	while (allow != NULL && allow[count] != NULL)
		count++;
	config->rights.list = calloc(count + 1, sizeof(*config->rights.list));
	if (config->rights.list == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count && error == 0; i++)
		error = add_rule(build, allow[i]);
	if (error == 0 && !build->applied)
		error = check_group(build);
	return error;
}

/* It was parsed before: what is wrong with it would have been said. */
static int add_rule(struct build *build, const char *text)
{
	struct rights *rights = &build->whole->config.rights;
	struct right_rule *rule = &rights->list[rights->count];
	char *problem = NULL;
	int error;

	error = rights_parse(text, rule, &problem);
	free(problem);
	if (error < 0)
		return -ENOMEM;
	rights->count++;
	error = look_up(rule);
	if (error == -ENOMEM)
		return error;
	rule->lost = error < 0;
	if (error < 0 && !build->applied)
		complain(build, SETTING_control_allow, rule->is_group, rule->who, error);
	return 0;
}

static int look_up(struct right_rule *rule)
{
	return rule->is_group ? ids_find_group(rule->who, &rule->id)
			      : ids_find_user(rule->who, &rule->id);
}

static int check_group(struct build *build)
{
	const char *group = build->whole->config.settings.key_control_group, *what;
	struct ids_owner owner;
	int error;

	if (group == NULL)
		return 0;
	error = ids_resolve_owner(NULL, group, &owner, &what);
	if (error < 0 && error != -ENOMEM) {
		complain(build, SETTING_control_group, true, group, error);
		error = 0;
	}
	return error;
}

static void complain(
    struct build *build, enum setting_key key, bool is_group, const char *name, int error)
{
	const struct build_place place = build->settings[key];
	char quoted[CONFREPORT_QUOTE], label[KEYTABLE_LABEL];
	const char *what = is_group ? "group" : "user";

	confreport_quote(name, quoted);
	keytable_label(&setting_rows[key], label);
	if (error == -EPERM)
		confreport_add(build->report, build_file(build, place), place.line, label,
		    "'%s' is a group that supervisord is not in: only root may name one", quoted);
	else
		confreport_add(build->report, build_file(build, place), place.line, label,
		    "'%s' does not exist: a %s of this system is allowed, by name or number",
		    quoted, what);
}
