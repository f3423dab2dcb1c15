/* SPDX-License-Identifier: ISC */
/* programwords.c: see programwords.h, and program_reason() of program.h. */
#include <string.h>

#include "lib/clock.h"
#include "supervisord/engine/access.h"
#include "supervisord/engine/changes.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/programwords.h"

static bool is_of_run(const struct programwords_subject *subject);
static long long left_ms(const struct ledger_state *state, int64_t now_ns);
static void take_stanza(
    const struct program *program, const struct control_client *reader, struct reason_words *words);
static const char *target_name(const char *target, const struct control_client *reader);
static bool is_about_other(enum reason reason);
static const char *other_name(
    const struct programwords_subject *subject, int row, const struct control_client *reader);
static void find_change(const struct programwords_subject *subject,
    const struct ledger_state *state, struct programwords *words);
static void find_end(const struct programwords_subject *subject, const struct ledger_state *state,
    struct programwords *words);

void programwords_fill(const struct programwords_subject *subject, const struct ledger_state *state,
    const struct control_client *reader, struct programwords *ret_words)
{
	*ret_words = (struct programwords){.words.retry_ms = -1};
	if (subject->program != NULL && (state->reason != REASON_LAUNCH || is_of_run(subject)))
		take_stanza(subject->program, reader, &ret_words->words);
	if (is_about_other((enum reason)state->reason))
		ret_words->words.other = other_name(subject, state->step - 1, reader);
	find_change(subject, state, ret_words);
	find_end(subject, state, ret_words);
}

/* What was to be launched stands in the stanza that there is now.  Of one that has changed since it
 * would be told that it failed. */
static bool is_of_run(const struct programwords_subject *subject)
{
	const struct ledger_state *state = program_state(subject->program);
	const struct history_run *run;

	if (subject->run == state->starts)
		return state->config_hash == program_hash(subject->program);
	run = history_find_run(subject->engine->history, subject->row, subject->run);
	return run != NULL && run->config_hash == program_hash(subject->program);
}

const char *programwords_name(const struct program *program, const struct control_client *reader)
{
	return reader == NULL || access_may(reader, RIGHT_STATUS, program) ? program_name(program)
									   : PROGRAMWORDS_HIDDEN;
}

const char *program_reason(
    const struct program *program, const struct control_client *reader, char *buffer, size_t size)
{
	const struct ledger_state *state = program_state(program);
	const struct engine *engine = program->engine;
	const struct program_link *blocker = NULL;
	struct programwords full;
	struct reason_words *words = &full.words;

	programwords_fill(
	    &(struct programwords_subject){
		.engine = engine,
		.program = program,
		.row = program->run.row,
		.number = history_next(engine->history),
		.run = state->run_acted,
	    },
	    state, reader, &full);
	words->safe_mode = engine->safe_mode;
	words->peer = accept_peer(program);
	/* The log tells it when it begins, whoever asks how long it still is. */
	if (state->failures > 0 && state->deadline_ns > state->since_ns)
		words->retry_ms =
		    left_ms(state, reader != NULL ? clock_boot_ns() : state->since_ns);
	if (state->state == STATE_WAITING)
		blocker = engine_start_blocker(engine, program);
	else if (step_is_up((enum state)state->state) && transition_is_halting(state))
		blocker = engine_stop_blocker(engine, program);
	if (blocker != NULL) {
		words->waits_for = programwords_name(blocker->other, reader);
		words->waits_condition =
		    depend_condition_name((enum depend_condition)blocker->condition);
	}
	if (blocker == NULL && transition_waits_for_demand(program->config, state) &&
	    program->config->life->key_sockets != NULL)
		words->demand = program->config->life->key_sockets[0];
	return reason_text(state, words, buffer, size);
}

static long long left_ms(const struct ledger_state *state, int64_t now_ns)
{
	return now_ns < state->deadline_ns ? (state->deadline_ns - now_ns) / NS_PER_MS : 0;
}

static void take_stanza(
    const struct program *program, const struct control_client *reader, struct reason_words *words)
{
	const struct program_config *config = program->config;

	words->program_path = config->key_command != NULL ? config->key_command[0] : NULL;
	words->directory = config->key_directory;
	words->stream_target[0] = target_name(config->key_stdin.target, reader);
	words->stream_target[1] = target_name(config->key_stdout.target, reader);
	words->stream_target[2] = target_name(config->key_stderr.target, reader);
	words->user = config->key_user;
	words->socket = sockets_find_missing(program->engine, config);
	words->ready = &config->life->key_ready;
}

/* Of stdout = "program:NAME" it is the name. */
static const char *target_name(const char *target, const struct control_client *reader)
{
	const struct program *program;

	if (reader == NULL || target == NULL)
		return target;
	program = engine_find(reader->engine, target);
	return program != NULL ? programwords_name(program, reader) : target;
}

static bool is_about_other(enum reason reason)
{
	return reason == REASON_REQUIRED || reason == REASON_LOST || reason == REASON_CONFLICT ||
	       reason == REASON_GAVE_UP || reason == REASON_WITHOUT;
}

static const char *other_name(
    const struct programwords_subject *subject, int row, const struct control_client *reader)
{
	const struct engine *engine = subject->engine;
	const char *name = history_name(engine->history, engine->ledger, row, subject->number);
	const struct program *present = engine_program_of_row(engine, row);

	if (name == NULL || reader == NULL)
		return name;
	if (present != NULL && strcmp(program_name(present), name) == 0)
		return programwords_name(present, reader);
	return access_may_name(reader, RIGHT_STATUS, name) ? name : PROGRAMWORDS_HIDDEN;
}

static void find_change(const struct programwords_subject *subject,
    const struct ledger_state *state, struct programwords *words)
{
	const struct history_change *change = changes_of(subject->engine->history, state);

	if (change == NULL)
		return;
	words->change = changes_reason(change);
	words->words.change = &words->change;
}

/* Of a run that is not remembered any more, the code in the state is what is left. */
static void find_end(const struct programwords_subject *subject, const struct ledger_state *state,
    struct programwords *words)
{
	const struct history_run *run;

	if (state->reason != REASON_EXIT || state->step == EXIT_PLAIN)
		return;
	run = history_find_run(subject->engine->history, subject->row, subject->run);
	/* The commit that ends a run may be the one that begins the next. */
	if (run == NULL || run->evidence != state->step)
		run = history_find_run(subject->engine->history, subject->row, subject->run - 1);
	if (run != NULL && run->evidence == state->step)
		words->finding = (struct exit_finding){
		    .evidence = (enum exit_evidence)run->evidence,
		    .killer = run->killer,
		    .peak_kb = run->peak_kb,
		    .limit_kb = run->limit_kb,
		};
	else if (state->step != EXIT_BY_OPERATOR)
		words->finding.evidence = (enum exit_evidence)state->step;
	words->words.finding = &words->finding;
}
