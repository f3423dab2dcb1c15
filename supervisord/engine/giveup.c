/* SPDX-License-Identifier: ISC */
/* giveup.c: see giveup.h. */
#include <stdatomic.h>

#include "lib/ownlog.h"
#include "lib/wstatus.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/giveup.h"
#include "supervisord/engine/hooks.h"

static void end_all(struct program *program, const struct ledger_state *state, const char *why);
static int exit_code_of(const struct ledger_state *state);
static void start_other(struct program *other, void *context);
static bool visit_named(const struct program *program, const char *name,
    void (*visit)(struct program *other, void *context), void *context);

void giveup_settle(struct program *program)
{
	const struct life_config *life = program->config->life;
	struct ledger_state state = *program_state(program);

	if (!(state.flags & LEDGER_FLAG_OWED) || program->engine->safe_mode)
		return;
	if (state.state == STATE_FATAL) {
		switch (life->key_on_failure.kind) {
		case ON_FAILURE_NONE:
		case ON_FAILURE_RETRY: /* the timer of FATAL */
			break;
		case ON_FAILURE_REBOOT:
			atomic_store(&program->engine->ledger->header.reboot, 1);
			end_all(program, &state, "on_failure = reboot");
			break;
		case ON_FAILURE_SHUTDOWN:
			end_all(program, &state, "on_failure = shutdown");
			break;
		case ON_FAILURE_START:
			if (!giveup_visit(program, start_other, program))
				log_error("%s: on_failure: there is no other program '%s'",
				    program_name(program), life->key_on_failure.name);
			break;
		case ON_FAILURE_EXEC:
			hooks_start_kind(program, TASK_ON_FAILURE);
			break;
		}
	}
	if (life->key_essential)
		end_all(program, &state, "it is essential");
	state = *program_state(program);
	state.flags &= (uint16_t)~LEDGER_FLAG_OWED;
	ledger_commit_state(program->engine->ledger, program->run.row, &state);
}

/* `state`: of its end; it may have been started again since, by what it has started. */
static void end_all(struct program *program, const struct ledger_state *state, const char *why)
{
	struct ledger_header *header = &program->engine->ledger->header;

	if (atomic_load(&header->shutdown))
		return;
	log_notice(
	    "%s has ended for good and %s: supervisord shuts down", program_name(program), why);
	atomic_store(&header->exit_code, exit_code_of(state));
	engine_request_shutdown(program->engine);
}

/* As a shell would say it. */
static int exit_code_of(const struct ledger_state *state)
{
	int code = 0;

	if (state->run_acted == state->starts && (state->flags & LEDGER_FLAG_HAS_EXIT))
		code = wstatus_is_exit(state->last_wstatus)
			   ? wstatus_code(state->last_wstatus)
			   : 128 + wstatus_signal(state->last_wstatus);
	/* It failed in a way that its status does not tell. */
	return code == 0 && (state->state == STATE_FATAL || (state->flags & LEDGER_FLAG_FAILED))
		   ? 1
		   : code;
}

static void start_other(struct program *other, void *context)
{
	const struct program *program = context;
	const struct cause cause = {.reason = REASON_GAVE_UP, .step = program->run.row + 1};

	engine_start(program->engine, other, &cause);
}

/* A program, all its instances, or those of a group. */
bool giveup_visit(const struct program *program,
    void (*visit)(struct program *other, void *context), void *context)
{
	const struct on_failure *on_failure = &program->config->life->key_on_failure;
	const struct group_config *group;
	bool found;

	if (on_failure->kind != ON_FAILURE_START)
		return false;
	group = config_find_group(program->engine->config, on_failure->name);
	found = visit_named(program, on_failure->name, visit, context);
	for (size_t i = 0; group != NULL && group->members != NULL && group->members[i] != NULL;
	     i++)
		found = visit_named(program, group->members[i], visit, context) || found;
	return found;
}

static bool visit_named(const struct program *program, const char *name,
    void (*visit)(struct program *other, void *context), void *context)
{
	struct program *other;
	size_t index = 0;
	bool found = false;

	while ((other = engine_next_named(program->engine, name, &index)) != NULL) {
		if (other == program || other->removed || other->config->surge)
			continue;
		visit(other, context);
		found = true;
	}
	return found;
}
