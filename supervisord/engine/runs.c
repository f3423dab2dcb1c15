/* SPDX-License-Identifier: ISC */
/* runs.c: see runs.h. */
#include <inttypes.h>
#include <stdio.h>

#include "lib/clock.h"
#include "supervisord/engine/call.h"
#include "supervisord/engine/changes.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/events.h"
#include "supervisord/engine/lastwords.h"
#include "supervisord/engine/programwords.h"
#include "supervisord/engine/record.h"
#include "supervisord/engine/runs.h"
#include "supervisord/engine/selection.h"

/* Why a run began or ended, and what names and numbers are to be taken from. */
struct cause_of {
	struct cause cause;
	uint64_t event;
	uint64_t ended; /* the run whose end it is */
};

static void write_ended(
    struct call *call, const struct program *program, const struct history_run *run);
static void write_present(
    struct call *call, const struct program *program, const struct history_start *start);
static void write_begin(struct jsonw *w, uint64_t run, int64_t start_wall_ns, int64_t length_ns);
static void write_hash(struct jsonw *w, uint64_t hash);
static void write_memory(struct jsonw *w, const struct history_run *run);
static const char *cause_text(const struct call *call, const struct program *program,
    const struct cause_of *of, char *buffer, size_t size);
static void write_change(
    struct jsonw *w, const struct history_memory *history, uint8_t reason, int32_t detail);

void runs(struct call *call)
{
	static const char *const names[] = {"name", "lines", NULL};
	const char *name = NULL;
	const struct program *program;
	const struct ledger_state *state;
	const struct history_start *start;
	int64_t lines = -1;
	uint64_t first;

	if (!call_allows(call, names) || !call_get_string(call, "name", &name) ||
	    !call_get_int(call, "lines", -1, INT32_MAX, &lines))
		return;
	program = selection_find_one(call, name);
	if (program == NULL)
		return;
	state = program_state(program);
	first = state->starts > LIMIT_RUNS ? state->starts - LIMIT_RUNS : 1;
	if (lines >= 0 && state->starts >= (uint64_t)lines &&
	    first + (uint64_t)lines <= state->starts)
		first = state->starts + 1 - (uint64_t)lines;
	call_begin_reply(call);
	jsonw_key(&call->w, "runs");
	jsonw_begin_array(&call->w);
	for (uint64_t run = first; run <= state->starts; run++) {
		const struct history_run *ended =
		    history_find_run(call->engine->history, program->run.row, run);

		if (ended != NULL)
			write_ended(call, program, ended);
	}
	start = history_find_start(call->engine->history, program->run.row, state->starts);
	if (start != NULL && lines != 0 && step_is_live((enum state)state->state) &&
	    state->run_acted != state->starts)
		write_present(call, program, start);
	jsonw_end_array(&call->w);
	call_end_reply(call);
}

static void write_ended(
    struct call *call, const struct program *program, const struct history_run *run)
{
	const struct exit_finding finding = {.evidence = (enum exit_evidence)run->evidence,
	    .killer = run->killer,
	    .peak_kb = run->peak_kb,
	    .limit_kb = run->limit_kb};
	const struct cause_of start = {
	    .cause = {(enum reason)run->start_reason, run->start_detail, run->start_step},
	    .event = run->event,
	    .ended = run->run - 1};
	const struct cause_of end = {
	    .cause = {(enum reason)run->end_reason, run->end_detail, run->end_step},
	    .event = run->event,
	    .ended = run->run};
	struct jsonw *w = &call->w;
	char text[REASON_TEXT];

	write_begin(w, run->run, run->start_wall_ns, run->length_ns);
	jsonw_member_string(w, "end", record_time(run->end_wall_ns, text, sizeof(text)));
	jsonw_member_null(w, "pid");
	jsonw_key(w, "exit");
	if (run->launched)
		events_write_exit(w, run->wstatus);
	else
		jsonw_null(w);
	jsonw_member_string(w, "status",
	    run->launched ? reason_end_text(run->wstatus, &finding, text, sizeof(text))
			  : "not launched");
	jsonw_member_bool(w, "failed", run->failed);
	jsonw_member_int(w, "user_ms", run->user_us / 1000);
	jsonw_member_int(w, "system_ms", run->system_us / 1000);
	write_memory(w, run);
	write_hash(w, run->config_hash);
	jsonw_member_string(w, "started_by", cause_text(call, program, &start, text, sizeof(text)));
	jsonw_member_string(w, "ended_by", cause_text(call, program, &end, text, sizeof(text)));
	write_change(w, program->engine->history, run->start_reason, run->start_detail);
	jsonw_member_string(w, "last_words", lastwords_find(program, run->run));
	jsonw_end_object(w);
}

static void write_present(
    struct call *call, const struct program *program, const struct history_start *start)
{
	const struct cause_of cause = {
	    .cause = {(enum reason)start->reason, start->detail, start->step},
	    .event = history_next(program->engine->history),
	    .ended = start->run - 1};
	struct jsonw *w = &call->w;
	pid_t pid = program_pid(program);
	char text[REASON_TEXT];

	write_begin(w, start->run, start->begin_wall_ns, clock_boot_ns() - start->begin_ns);
	jsonw_member_null(w, "end");
	if (pid > 0)
		jsonw_member_int(w, "pid", pid);
	else
		jsonw_member_null(w, "pid");
	jsonw_member_null(w, "exit");
	jsonw_member_string(w, "status", step_state_name(program_state_of(program)));
	jsonw_member_bool(w, "failed", false);
	jsonw_member_null(w, "user_ms");
	jsonw_member_null(w, "system_ms");
	jsonw_member_null(w, "max_memory_bytes");
	jsonw_member_null(w, "memory_of");
	write_hash(w, start->config_hash);
	jsonw_member_string(w, "started_by", cause_text(call, program, &cause, text, sizeof(text)));
	jsonw_member_null(w, "ended_by");
	write_change(w, program->engine->history, start->reason, start->detail);
	jsonw_member_null(w, "last_words");
	jsonw_end_object(w);
}

static void write_begin(struct jsonw *w, uint64_t run, int64_t start_wall_ns, int64_t length_ns)
{
	char text[RECORD_TIME];

	jsonw_begin_object(w);
	jsonw_member_int(w, "run", (int64_t)run);
	jsonw_member_string(w, "start", record_time(start_wall_ns, text, sizeof(text)));
	jsonw_member_int(w, "duration_ms", length_ns / NS_PER_MS);
}

/* Long enough to tell two of them apart. */
static void write_hash(struct jsonw *w, uint64_t hash)
{
	char text[20];

	(void)snprintf(text, sizeof(text), "%016" PRIx64, hash);
	jsonw_member_string(w, "config", text);
}

/* The most that it had: of all its processes where that is known, else of the main one. */
static void write_memory(struct jsonw *w, const struct history_run *run)
{
	if (!run->launched) {
		jsonw_member_null(w, "max_memory_bytes");
		jsonw_member_null(w, "memory_of");
		return;
	}
	jsonw_member_int(
	    w, "max_memory_bytes", (run->peak_kb > 0 ? run->peak_kb : run->maxrss_kb) * 1024);
	jsonw_member_string(w, "memory_of", run->peak_kb > 0 ? "run" : "main");
}

/* That it was started for. */
static void write_change(
    struct jsonw *w, const struct history_memory *history, uint8_t reason, int32_t detail)
{
	const struct ledger_state state = {.reason = reason, .detail = detail};

	jsonw_key(w, "change");
	changes_write(w, changes_of(history, &state));
}

/* The sentence of a reason alone. */
static const char *cause_text(const struct call *call, const struct program *program,
    const struct cause_of *of, char *buffer, size_t size)
{
	const struct ledger_state state = {
	    .state = STATE_STOPPED, /* of which there is nothing more to say */
	    .reason = (uint8_t)of->cause.reason,
	    .detail = of->cause.detail,
	    .step = of->cause.step,
	};
	struct programwords full;

	programwords_fill(
	    &(struct programwords_subject){
		.engine = program->engine,
		.program = program,
		.row = program->run.row,
		.number = of->event,
		.run = of->ended,
	    },
	    &state, call->client, &full);
	return reason_text(&state, &full.words, buffer, size);
}
