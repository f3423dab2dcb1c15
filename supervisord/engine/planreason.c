/* SPDX-License-Identifier: ISC */
/* planreason.c: why a step of a plan is to be done, in words; see plan.h. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "supervisord/engine/instname.h"
#include "supervisord/engine/plan.h"

/* A text that grows. */
struct text {
	char *at;
	size_t size;
	size_t length;
	/* Whose keys differ; or NULL. */
	const struct program_config *before;
	const struct program_config *now;
};

static void add(struct text *text, const char *before, const char *name, const char *after);
static void add_changed(void *context, const char *key, enum change_class change);
static bool is_set(const struct program_config *config, const char *key);
static bool is_same_key(const char *name, const char *key);
static void add_changed_path(
    struct text *text, const char *key, const char *old_path, const char *new_path);
static bool is_same_text(const char *a, const char *b);
static bool is_same_list(const string_list a, const string_list b);
static bool are_same_groups(const struct config *old, const struct config *new);
static const char *next_member(const string_list list, size_t *index, size_t *ret_length);

const char *plan_action_name(enum plan_action action)
{
#define NAME(name, text) text,
	static const char *const names[] = {PLAN_ACTIONS(NAME) "nothing"};
#undef NAME

	return names[action];
}

const char *plan_step_reason(
    const struct plan *plan, const struct plan_step *step, char *buffer, size_t size)
{
	const struct plan_input *input = &plan->inputs[step->program];
	const char *other = plan->inputs[step->other].name;
	struct text text = {
	    .at = buffer, .size = size, .before = input->old_config, .now = input->new_config};

	buffer[0] = '\0';
	/* It comes or goes because there are to be more or fewer. */
	if (input->instances_before > 0 && input->instances_now > 0 &&
	    (step->cause == PLAN_NEW || step->cause == PLAN_BACK || step->cause == PLAN_GONE)) {
		const struct program_config *config =
		    input->new_config != NULL ? input->new_config : input->old_config;
		bool accepts = config != NULL && config->life->key_accept;

		(void)snprintf(buffer, size, "%s: %u, not %u",
		    accepts ? "max_connections" : "instances", input->instances_now,
		    input->instances_before);
		return buffer;
	}
	switch (step->cause) {
	case PLAN_NEW:
		add(&text, "", "new stanza", "");
		return buffer;
	case PLAN_BACK:
		add(&text, "", "its stanza is back", "");
		return buffer;
	case PLAN_GONE:
		add(&text, "", "its stanza is gone", "");
		return buffer;
	case PLAN_CHANGED:
		break;
	case PLAN_NEEDED:
		add(&text, "needed by ", other, "");
		break;
	case PLAN_REQUIRES:
		add(&text, "requires ", other, "");
		break;
	case PLAN_CONFLICTS:
		add(&text, "conflicts with ", other, "");
		break;
	}
	if (input->old_config != NULL && input->new_config != NULL)
		(void)config_diff_program(input->old_config, input->new_config, add_changed, &text);
	if (text.length == 0)
		add(&text, "", "its run is not what the configuration says", "");
	if (step->action == PLAN_RESTART && !step->follows && plan_is_rolled(input->new_config))
		add(&text, "", "in its turn", "");
	return buffer;
}

const char *plan_settings_reason(
    const struct config *old, const struct config *new, char *buffer, size_t size)
{
	const struct settings *a = &old->settings, *b = &new->settings;
	struct text text = {.at = buffer, .size = size};

	buffer[0] = '\0';
	if (a->key_log_level != b->key_log_level)
		add_changed(&text, "log_level", CHANGE_LIVE);
	if (a->key_shutdown_timeout != b->key_shutdown_timeout)
		add_changed(&text, "shutdown_timeout", CHANGE_LIVE);
	if (a->key_log_memory != b->key_log_memory)
		add_changed(&text, "log_memory", CHANGE_LIVE);
	if (a->key_inherit_format != b->key_inherit_format)
		add_changed(&text, "inherit_format", CHANGE_LIVE);
	add_changed_path(&text, "log_dir", a->key_log_dir, b->key_log_dir);
	add_changed_path(&text, "state_dir", a->key_state_dir, b->key_state_dir);
	add_changed_path(&text, "syslog_socket", a->key_syslog_socket, b->key_syslog_socket);
	add_changed_path(&text, "journal_socket", a->key_journal_socket, b->key_journal_socket);
	if (!is_same_list(a->key_control_allow, b->key_control_allow))
		add_changed(&text, "control.allow", CHANGE_LIVE);
	if (!is_same_text(a->key_control_group, b->key_control_group))
		add_changed(&text, "control.group", CHANGE_LIVE);
	if (a->key_control_mode != b->key_control_mode)
		add_changed(&text, "control.mode", CHANGE_LIVE);
	if (!are_same_groups(old, new))
		add(&text, "", "groups changed", "");
	return buffer;
}

static void add(struct text *text, const char *before, const char *name, const char *after)
{
	static const char cut[] = "...";
	size_t left = text->size - text->length;
	int length = snprintf(text->at + text->length, left, "%s%s%s%s",
	    text->length > 0 ? ", " : "", before, name, after);

	if (length < 0)
		return;
	if ((size_t)length < left) {
		text->length += (size_t)length;
		return;
	}
	text->length = text->size - 1;
	if (text->size > sizeof(cut))
		memcpy(text->at + text->size - sizeof(cut), cut, sizeof(cut));
}

static void add_changed(void *context, const char *key, enum change_class change)
{
	struct text *text = context;

	(void)change;
	add(text, "", key,
	    is_set(text->before, key) && !is_set(text->now, key) ? " changed (superctl set ends)"
								 : " changed");
}

/* It is what superctl set has said, and no file. */
static bool is_set(const struct program_config *config, const char *key)
{
	for (uint32_t i = 0; config != NULL && i < config->override_count; i++)
		if (is_same_key(config->overrides[i].name, key))
			return strncmp(config->overrides[i].file, CONFIG_SET_PATH,
				   strlen(CONFIG_SET_PATH)) == 0;
	return false;
}

/* "health_check" of the table, "health.check" as people write it. */
static bool is_same_key(const char *name, const char *key)
{
	while (*name != '\0' && (*name == *key || (*name == '_' && *key == '.'))) {
		name++;
		key++;
	}
	return *name == *key;
}

static void add_changed_path(
    struct text *text, const char *key, const char *old_path, const char *new_path)
{
	if (old_path != NULL && new_path != NULL && strcmp(old_path, new_path) != 0)
		add_changed(text, key, CHANGE_LIVE);
}

static bool is_same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool is_same_list(const string_list a, const string_list b)
{
	size_t i = 0;

	if (a == NULL || b == NULL)
		return a == b;
	while (a[i] != NULL && is_same_text(a[i], b[i]))
		i++;
	return a[i] == NULL && b[i] == NULL;
}

static bool are_same_groups(const struct config *old, const struct config *new)
{
	if (old->group_count != new->group_count)
		return false;
	for (size_t i = 0; i < new->group_count; i++) {
		const string_list a = old->groups[i].members, b = new->groups[i].members;
		size_t at_a = 0, at_b = 0, length_a, length_b;
		const char *x, *y;

		if (strcmp(old->groups[i].name, new->groups[i].name) != 0)
			return false;
		do {
			x = next_member(a, &at_a, &length_a);
			y = next_member(b, &at_b, &length_b);
			if (length_a != length_b || (x != NULL && memcmp(x, y, length_a) != 0))
				return false;
		} while (x != NULL);
	}
	return true;
}

/* The name of a program in the list, whatever the number of its instances, and of how many bytes;
 * NULL, of 0 bytes: no more. */
static const char *next_member(const string_list list, size_t *index, size_t *ret_length)
{
	const char *name = list != NULL ? list[*index] : NULL;

	*ret_length = name != NULL ? instname_program_length(name) : 0;
	while (list != NULL && list[*index] != NULL &&
	       instname_program_length(list[*index]) == *ret_length &&
	       memcmp(list[*index], name, *ret_length) == 0)
		(*index)++;
	return name;
}
