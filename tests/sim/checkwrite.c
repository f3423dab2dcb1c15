/* SPDX-License-Identifier: ISC */
/*
 * checkwrite.c: commits that are no decisions: a wish, health, a note.  Each may touch what it is
 * about and nothing else.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "supervisord/engine/plan.h"
#include "tests/sim/checkcount.h"
#include "tests/sim/checklink.h"
#include "tests/sim/checks.h"
#include "tests/sim/checkstep.h"

static bool is_on_failure_done(int program, const struct life_config *life);
static bool is_on_failure_there(int program);

uint64_t program_hash_of(int program)
{
	const struct stanza *stanza = world_stanza(program);

	for (int other = 0; other < world->program_count; other++) {
		const struct stanza *writer = world_stanza(other);

		if (writer != NULL && writer->stdout_to == program)
			return stanza->config.hash ^ ~PLAN_HASH_ACCEPTED;
	}
	return stanza != NULL ? stanza->config.hash : 0;
}

void check_write(int row, const struct ledger_state *before, const struct ledger_state *after)
{
	const struct sim_row *slot = &world->rows[row];
	struct shadow *shadow = &world->shadows[slot->program];
	unsigned free_flags = LEDGER_FLAG_BOUNCE | LEDGER_FLAG_REST | LEDGER_FLAG_RELOADING |
			      LEDGER_FLAG_OWED | LEDGER_FLAG_EARLY | LEDGER_FLAG_TURN |
			      LEDGER_FLAG_FRESH | LEDGER_FLAG_KEPT;
	struct ledger_state same = *after;

	if (slot->kind != MAIN_PROCESS)
		return;
	same.wanted = before->wanted;
	same.health = before->health;
	/* Its main process was named before its command had ended. */
	if (before->state == STATE_STARTING && (after->flags & LEDGER_FLAG_FORKED))
		free_flags |= LEDGER_FLAG_FORKED;
	same.flags = (uint16_t)((after->flags & ~free_flags) | (before->flags & free_flags));
	if (after->deadline_ns > before->deadline_ns && before->deadline_ns != 0)
		same.deadline_ns = before->deadline_ns;
	if (after->deadline_ns != before->deadline_ns && after->deadline_ns == shadow->retimed_ns) {
		same.deadline_ns = before->deadline_ns;
		shadow->no_deadline = after->deadline_ns == 0;
	}
	if (memcmp(&same, before, sizeof(same)) != 0)
		world_fail(
		    "%s: its state is written without a decision", stanza_name(slot->program));
	if ((after->flags & LEDGER_FLAG_BOUNCE) && !(before->flags & LEDGER_FLAG_BOUNCE) &&
	    !checklink_is_live(after))
		world_fail(
		    "%s is to be stopped and started, and has no run", stanza_name(slot->program));
	if ((after->flags & LEDGER_FLAG_KEPT) && !(before->flags & LEDGER_FLAG_KEPT))
		check_kept(slot->program);
	if ((before->flags & LEDGER_FLAG_OWED) && !(after->flags & LEDGER_FLAG_OWED))
		check_paid(slot->program, before);
}

void check_retime(int row, const struct ledger_state *state, const struct program_config *before,
    const struct program_config *after, int64_t deadline_ns)
{
	int program = world->rows[row].program;
	struct shadow *shadow = &world->shadows[program];
	int64_t was_ns = checkcount_wait_ns(before, state, shadow->failures);
	int64_t is_ns = checkcount_wait_ns(after, state, shadow->failures);
	int64_t begun_ns = was_ns == DEADLINE_NONE || state->deadline_ns == 0
			       ? state->since_ns
			       : state->deadline_ns - was_ns;

	int64_t jitter_ns = is_ns / 100 * after->life->key_restart_jitter;
	int64_t expected_ns = is_ns == DEADLINE_NONE ? 0 : begun_ns + is_ns;

	if (is_ns == was_ns)
		expected_ns = state->deadline_ns;
	else if (state->state == STATE_BACKOFF && begun_ns > state->since_ns + jitter_ns)
		expected_ns = state->since_ns + is_ns + jitter_ns;
	EXPECT_OF(program, llabs(deadline_ns - expected_ns) <= 1000,
	    "it does not wait for as long as its stanza says now");
	shadow->retimed_ns = deadline_ns;
}

static bool is_on_failure_done(int program, const struct life_config *life)
{
	const struct shadow *shadow = &world->shadows[program];
	const struct stanza *stanza = world_stanza(program);

	if (stanza == NULL || world->ledger->header.shutdown)
		return true;
	if (life->key_on_failure.kind == ON_FAILURE_EXEC)
		return shadow->owed_commands > 0 || shadow->tasks[TASK_ON_FAILURE].failed > 0 ||
		       shadow->troubles > 0 || is_on_failure_there(program);
	return life->key_on_failure.kind != ON_FAILURE_START ||
	       world_program(stanza->on_failure_name) == NULL ||
	       world_is_removed(stanza->on_failure_name) ||
	       world_state(stanza->on_failure_name)->wanted == WANTED_UP;
}

/* That of the last time goes on: it is not begun a second time. */
static bool is_on_failure_there(int program)
{
	for (int row = 0; row < (int)world->ledger->header.rows_high; row++)
		if (world->rows[row].program == program && world->rows[row].kind == TASK_ON_FAILURE)
			return true;
	return false;
}

/* The engine ends everything: with the status of one whose end that is. */
void check_exit_code(void)
{
	bool good = false;

	for (int program = 0; program < world->program_count; program++)
		good = good ||
		       world->shadows[program].exit_code == 1 + world->ledger->header.exit_code;
	if (!good)
		world_fail("everything ends, with %d for nobody's end",
		    (int)world->ledger->header.exit_code);
}

/* As a shell has it, and never 0 for a failure; one more than that. */
int check_exit_code_of(const struct shadow *shadow, enum state state)
{
	int code = 0;

	if (shadow->ended)
		code = WIFEXITED(shadow->wstatus) ? WEXITSTATUS(shadow->wstatus)
						  : 128 + WTERMSIG(shadow->wstatus);
	return 1 + (code == 0 && (shadow->failed || state == STATE_FATAL) ? 1 : code);
}

/* All of it was done, before it was noted as done. */
void check_paid(int program, const struct ledger_state *state)
{
	struct shadow *shadow = &world->shadows[program];
	const struct program *there = world_program(program);
	const struct life_config *life = there->config->life;
	bool down = life->key_essential;

	if (state->state == STATE_FATAL) {
		down = down || life->key_on_failure.kind == ON_FAILURE_SHUTDOWN ||
		       life->key_on_failure.kind == ON_FAILURE_REBOOT;
		if (life->key_on_failure.kind == ON_FAILURE_REBOOT && !world->ledger->header.reboot)
			world_fail(
			    "%s: the machine is not to be started again", stanza_name(program));
		if (!is_on_failure_done(program, life))
			world_fail("%s: on_failure is left out", stanza_name(program));
	}
	if (down && !world->ledger->header.shutdown)
		world_fail("%s: its end ends nothing else", stanza_name(program));
	shadow->owed = false;
}
