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
static void start_other(struct program *program, const char *name);
static bool start_named(struct program *program, const char *name);

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
			start_other(program, life->key_on_failure.name);
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

/* A program, all its instances, or those of a group. */
static void start_other(struct program *program, const char *name)
{
	const struct group_config *group = config_find_group(program->engine->config, name);
	bool found = start_named(program, name);

	for (size_t i = 0; group != NULL && group->members != NULL && group->members[i] != NULL;
	     i++)
		found = start_named(program, group->members[i]) || found;
	if (!found)
		log_error(
		    "%s: on_failure: there is no other program '%s'", program_name(program), name);
}

static bool start_named(struct program *program, const char *name)
{
	struct cause cause = {.reason = REASON_GAVE_UP, .step = program->run.row + 1};
	struct engine *engine = program->engine;
	struct program *other;
	size_t index = 0;
	bool found = false;

	while ((other = engine_next_named(engine, name, &index)) != NULL) {
		if (other == program || other->removed || other->config->surge)
			continue;
		engine_start(engine, other, &cause);
		found = true;
	}
	return found;
}
