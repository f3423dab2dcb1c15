/* SPDX-License-Identifier: ISC */
/* hooks.c: see hooks.h. */
#include <stdio.h>
#include <string.h>

#include "lib/ownlog.h"
#include "lib/signame.h"
#include "lib/wstatus.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/hooks.h"
#include "supervisord/engine/policy.h"

#define VARIABLES     4
#define VARIABLE_TEXT 32

struct variables {
	char text[VARIABLES][VARIABLE_TEXT];
	char *list[VARIABLES + 1];
	size_t count;
};

static void add(struct variables *variables, const char *name, const char *value);
static void add_number(struct variables *variables, const char *name, int value);
static void add_end(struct variables *variables, const struct program *program);
static const char *result_of(const struct program *program);
static int64_t timeout_of(const struct program *program, enum task_kind kind);

enum task_kind hooks_kind_of(enum state state)
{
	switch (state) {
	case STATE_PREPARING:
		return TASK_PRE_START;
	case STATE_SETTLING:
		return TASK_POST_START;
	case STATE_ENDING:
		return TASK_PRE_STOP;
	case STATE_STOPPING:
		return TASK_STOP_COMMAND;
	case STATE_CLEANING:
		return TASK_POST_STOP;
	case STATE_STOPPED:
	case STATE_WAITING:
	case STATE_STARTING:
	case STATE_RUNNING:
	case STATE_BACKOFF:
	case STATE_EXITED:
	case STATE_FATAL:
	case STATE_COUNT:
		break;
	}
	return TASK_COUNT;
}

void hooks_start(struct program *program)
{
	hooks_start_kind(program, hooks_kind_of(program_state_of(program)));
}

void hooks_start_kind(struct program *program, enum task_kind kind)
{
	struct variables variables = {.count = 0};
	pid_t pid = program_pid(program);

	if (task_find(program, kind) != NULL)
		return;
	if (pid != 0)
		add_number(&variables, "MAINPID", (int)pid);
	if (kind == TASK_POST_STOP)
		add_end(&variables, program);
	/* Without words (the stanza has just lost them) it fails, and that is heard of as well. */
	task_start(program, kind, hooks_words(program->config, kind), variables.list,
	    timeout_of(program, kind));
}

char *const *hooks_words(const struct program_config *config, enum task_kind kind)
{
	const struct life_config *life = config->life;

	switch (kind) {
	case TASK_PRE_START:
		return life->key_pre_start;
	case TASK_POST_START:
		return life->key_post_start;
	case TASK_PRE_STOP:
		return life->key_pre_stop;
	case TASK_STOP_COMMAND:
		return life->key_stop_command;
	case TASK_POST_STOP:
		return life->key_post_stop;
	case TASK_RELOAD:
		return life->key_reload_command;
	case TASK_READY:
		return life->key_ready.words;
	case TASK_HEALTH:
		return life->key_health_check.words;
	case TASK_ON_FAILURE:
		return life->key_on_failure.words;
	case TASK_COUNT:
		break;
	}
	return NULL;
}

void hooks_log_failure(const struct program *program, const struct task_end *end)
{
	char text[64];

	if (end->timed_out)
		log_warning("%s: %s took too long and was killed", program_name(program),
		    task_kind_name(end->kind));
	else if (!end->launched)
		log_warning("%s: %s: %s: %s", program_name(program), task_kind_name(end->kind),
		    launch_step_name((enum launch_step)end->step), strerror(end->error));
	else
		log_warning("%s: %s %s", program_name(program), task_kind_name(end->kind),
		    reason_exit_text(end->wstatus, text, sizeof(text)));
}

static void add(struct variables *variables, const char *name, const char *value)
{
	char *text = variables->text[variables->count];

	(void)snprintf(text, VARIABLE_TEXT, "%s=%s", name, value);
	variables->list[variables->count++] = text;
}

static void add_number(struct variables *variables, const char *name, int value)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%d", value);
	add(variables, name, text);
}

static void add_end(struct variables *variables, const struct program *program)
{
	const struct ledger_state *state = program_state(program);
	char name[16];

	add(variables, "RESULT", result_of(program));
	if (state->run_acted != state->starts)
		return; /* it never got as far as a main process */
	if (wstatus_is_exit(state->last_wstatus))
		add_number(variables, "EXIT_STATUS", wstatus_code(state->last_wstatus));
	else
		add(variables, "EXIT_SIGNAL",
		    signame_format(wstatus_signal(state->last_wstatus), name, sizeof(name)));
}

/* The words of systemd.exec(5)'s $SERVICE_RESULT where it has one for it. */
static const char *result_of(const struct program *program)
{
	const struct ledger_state *state = program_state(program);

	if (transition_is_halting(state))
		return "stopped";
	switch ((enum reason)state->reason) {
	case REASON_WATCHDOG:
		return "watchdog";
	case REASON_UNHEALTHY:
	case REASON_STUCK:
		return "health";
	case REASON_RUNTIME:
		return "runtime";
	case REASON_NOT_READY:
	case REASON_NO_MAIN:
		return "timeout";
	case REASON_HOOK:
	case REASON_HOOK_LAUNCH:
		return "hook";
	case REASON_LAUNCH:
		return "start";
	case REASON_EXIT:
	case REASON_ERRNO:
	case REASON_NONE:
	case REASON_AUTOSTART:
	case REASON_STARTED:
	case REASON_STOPPED:
	case REASON_RESTARTED:
	case REASON_ADDED:
	case REASON_CHANGED:
	case REASON_REMOVED:
	case REASON_SHUTDOWN:
	case REASON_RETRY:
	case REASON_STABLE:
	case REASON_KILLED:
	case REASON_READY:
	case REASON_REQUIRED:
	case REASON_LOST:
	case REASON_CONFLICT:
	case REASON_SLOW_RETRY:
	case REASON_GAVE_UP:
	case REASON_FORCED:
	case REASON_LAST_STATE:
	case REASON_DEMAND:
	case REASON_EVENT:
	case REASON_FLOOD:
	case REASON_IDLE:
	case REASON_WITHOUT:
	case REASON_ROLLED:
	case REASON_COUNT:
		break;
	}
	if (policy_is_success(&program->config->key_success_exit, state->last_wstatus))
		return "success";
	return wstatus_is_exit(state->last_wstatus) ? "exit-code" : "signal";
}

/* The stop's own steps bound stop_command: it is told to end with the first signal. */
static int64_t timeout_of(const struct program *program, enum task_kind kind)
{
	if (kind == TASK_STOP_COMMAND)
		return transition_stop_step(program->config, program_state(program)).wait_ns;
	return program->config->life->key_hook_timeout;
}
