/* SPDX-License-Identifier: ISC */
/* eventmatch.c: see eventmatch.h. */
#include <fnmatch.h>
#include <stddef.h>
#include <string.h>

#include "supervisord/engine/eventmatch.h"
#include "supervisord/engine/history.h"
#include "supervisord/engine/step.h"

static const char *state_problem(const char *value);
static const char *exit_problem(const char *value);
static const char *kind_problem(const char *value);
static const char *program_problem(const char *value);
static bool is_state(const char *value, const struct event_view *view);
static bool is_exit(const char *value, const struct event_view *view);
static bool is_kind(const char *value, const struct event_view *view);
static bool is_program(const char *value, const struct event_view *view);

static const struct sort {
	const char *prefix;
	const char *(*problem)(const char *value);
	bool (*holds)(const char *value, const struct event_view *view);
} sorts[] = {
    {"state:", state_problem, is_state},
    {"exit:", exit_problem, is_exit},
    {"kind:", kind_problem, is_kind},
    {"program:", program_problem, is_program},
};
#define SORT_COUNT (sizeof(sorts) / sizeof(sorts[0]))

/* What stands behind the prefix, or NULL. */
static const char *value_of(const char *term, const struct sort *sort)
{
	size_t length = strlen(sort->prefix);

	return strncmp(term, sort->prefix, length) == 0 ? term + length : NULL;
}

const char *eventmatch_problem(const char *term)
{
	for (size_t i = 0; i < SORT_COUNT; i++) {
		const char *value = value_of(term, &sorts[i]);

		if (value != NULL)
			return sorts[i].problem(value);
	}
	return "begins with none of state:, exit:, kind: and program:";
}

bool eventmatch_holds(char *const *terms, const struct event_view *view)
{
	for (size_t i = 0; i < SORT_COUNT; i++) {
		bool any = false, holds = false;

		for (char *const *term = terms; *term != NULL; term++) {
			const char *value = value_of(*term, &sorts[i]);

			any |= value != NULL;
			holds |= value != NULL && sorts[i].holds(value, view);
		}
		if (any && !holds)
			return false;
	}
	return true;
}

static const char *state_problem(const char *value)
{
	for (int state = 0; state < STATE_COUNT; state++)
		if (strcmp(step_state_name((enum state)state), value) == 0)
			return NULL;
	return "is no state: STOPPED, WAITING, STARTING, RUNNING, BACKOFF, STOPPING, EXITED and "
	       "FATAL are";
}

static const char *exit_problem(const char *value)
{
	return strcmp(value, "failure") == 0 || strcmp(value, "success") == 0 ||
		       strcmp(value, "signal") == 0
		   ? NULL
		   : "is no end of a run: failure, success and signal are";
}

static const char *kind_problem(const char *value)
{
	for (int kind = 0; kind < HISTORY_KIND_COUNT; kind++)
		if (strcmp(history_kind_name((enum history_kind)kind), value) == 0)
			return NULL;
	return "is no kind of event: state, exit, reason, health, command, config, removed, "
	       "applied, daemon, engine, safe-mode, logger, log and shutdown are";
}

static const char *program_problem(const char *value)
{
	return value[0] != '\0' ? NULL : "names no program";
}

static bool is_state(const char *value, const struct event_view *view)
{
	return view->state != NULL && strcmp(view->state, value) == 0;
}

static bool is_exit(const char *value, const struct event_view *view)
{
	if (!view->ended)
		return false;
	if (strcmp(value, "signal") == 0)
		return view->by_signal;
	return view->failed == (strcmp(value, "failure") == 0);
}

static bool is_kind(const char *value, const struct event_view *view)
{
	return strcmp(view->kind, value) == 0;
}

static bool is_program(const char *value, const struct event_view *view)
{
	return view->name != NULL && fnmatch(value, view->name, 0) == 0;
}
