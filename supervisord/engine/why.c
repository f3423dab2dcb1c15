/* SPDX-License-Identifier: ISC */
/* why.c: see why.h. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "supervisord/engine/access.h"
#include "supervisord/engine/aim.h"
#include "supervisord/engine/call.h"
#include "supervisord/engine/depend.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/events.h"
#include "supervisord/engine/lastwords.h"
#include "supervisord/engine/record.h"
#include "supervisord/engine/selection.h"
#include "supervisord/engine/why.h"

/* Programs that are waited for by each other; events that are told of one. */
#define DEPTH  8
#define EVENTS 12

struct chain {
	struct program *programs[DEPTH];
	size_t count;
};

static bool follow(struct chain *chain, struct program *next);
static struct program *culprit_of(const struct program *program);
static void write_story(struct call *call, struct program *program);
static void write_events(struct call *call, const struct program *program);
static bool is_beginning(const struct history_event *event);
static void write_next(struct jsonw *w, const struct program *program);
static const char *next_name(const struct program *program);
static void write_left(struct jsonw *w, struct program *program);
static const char *advice_of(const struct program *program, char *buffer, size_t size);
static bool end_advice(const struct program *program, char *buffer, size_t size);

void why(struct call *call)
{
	static const char *const names[] = {"name", NULL};
	struct chain chain = {.count = 0};
	const char *name = NULL;
	struct program *program;

	if (!call_allows(call, names) || !call_get_string(call, "name", &name))
		return;
	program = selection_find_one(call, name);
	if (program == NULL)
		return;
	/* Not into what the client may not see. */
	while (program != NULL && access_may(call->client, call->right, program) &&
	       follow(&chain, program))
		program = culprit_of(program);
	call_begin_reply(call);
	jsonw_key(&call->w, "stories");
	jsonw_begin_array(&call->w);
	for (size_t i = 0; i < chain.count; i++)
		write_story(call, chain.programs[i]);
	jsonw_end_array(&call->w);
	call_end_reply(call);
}

/* False: it is in the chain already, or that is long enough. */
static bool follow(struct chain *chain, struct program *next)
{
	for (size_t i = 0; i < chain->count; i++)
		if (chain->programs[i] == next)
			return false;
	if (chain->count == DEPTH)
		return false;
	chain->programs[chain->count++] = next;
	return true;
}

/* On whose account it is not where it should be; NULL: its own. */
static struct program *culprit_of(const struct program *program)
{
	const struct engine *engine = program->engine;
	const struct ledger_state *state = program_state(program);
	const struct program_link *link = NULL;

	if (state->state == STATE_WAITING)
		link = engine_start_blocker(engine, program);
	else if (step_is_up((enum state)state->state) && transition_is_halting(state))
		link = engine_stop_blocker(engine, program);
	if (link != NULL)
		return link->other;
	if (state->reason == REASON_LOST || state->reason == REASON_CONFLICT)
		return engine_program_of_row(engine, state->step - 1);
	return NULL;
}

static void write_story(struct call *call, struct program *program)
{
	struct jsonw *w = &call->w;
	const struct program *culprit = culprit_of(program);
	const struct ledger_state *state = program_state(program);
	char text[REASON_TEXT];

	jsonw_begin_object(w);
	jsonw_key(w, "program");
	record_write(w, program, call->client, false);
	write_events(call, program);
	/* Of one that the client may not see, the sentence says so. */
	jsonw_member_string(w, "because_of",
	    culprit != NULL && access_may(call->client, RIGHT_STATUS, culprit)
		? program_name(culprit)
		: NULL);
	write_next(w, program);
	write_left(w, program);
	/* Of one that runs again it is no matter; superctl runs has them. */
	jsonw_member_string(w, "last_words",
	    state->state != STATE_RUNNING ? lastwords_find(program, state->run_acted) : NULL);
	jsonw_member_string(w, "advice", advice_of(program, text, sizeof(text)));
	jsonw_end_object(w);
}

/* The last ones, from where somebody wanted something on; `earlier`: that is further back. */
static void write_events(struct call *call, const struct program *program)
{
	struct jsonw *w = &call->w;
	const struct history_memory *history = program->engine->history;
	const int row = program->run.row;
	const struct history_event *found[EVENTS];
	uint64_t first = history_first(history), at = history_next(history);
	size_t count = 0;
	bool begins = false;

	if (first < history->born[row])
		first = history->born[row];
	while (at > first && count < EVENTS && !begins) {
		const struct history_event *event = history_find(history, --at);

		if (event == NULL || event->row != row)
			continue;
		found[count++] = event;
		begins = is_beginning(event);
	}
	jsonw_key(w, "events");
	jsonw_begin_array(w);
	while (count > 0)
		events_write(w, program->engine, call->client, found[--count]);
	jsonw_end_array(w);
	jsonw_member_bool(w, "earlier", !begins);
}

/* Before this one there is nothing to explain: it came from outside, to one at rest or running. */
static bool is_beginning(const struct history_event *event)
{
	if (event->kind != HISTORY_STATE || event->from == event->state)
		return false;
	return step_is_at_rest((enum state)event->from) ||
	       (event->from == STATE_WAITING &&
		   (event->reason == REASON_AUTOSTART || event->reason == REASON_ADDED ||
		       event->reason == REASON_LAST_STATE)) ||
	       (event->from == STATE_RUNNING && step_is_stopping((enum state)event->state) &&
		   event->uid != HISTORY_NO_UID);
}

/* What its timer does, and when. */
static void write_next(struct jsonw *w, const struct program *program)
{
	const struct ledger_state *state = program_state(program);
	int64_t left_ns = state->deadline_ns - clock_boot_ns();

	jsonw_member_string(w, "next", state->deadline_ns != 0 ? next_name(program) : NULL);
	if (state->deadline_ns != 0)
		jsonw_member_int(w, "next_ms", left_ns > 0 ? left_ns / NS_PER_MS : 0);
	else
		jsonw_member_null(w, "next_ms");
}

static const char *next_name(const struct program *program)
{
	const struct ledger_state *state = program_state(program);

	switch ((enum state)state->state) {
	case STATE_BACKOFF:
		return "next start";
	case STATE_FATAL:
		return "next start (on_failure = retry)";
	case STATE_STARTING:
		return transition_waits_for_ready(program->config)
			   ? "to be ready, or the start has failed"
			   : "it counts as RUNNING";
	case STATE_STOPPING:
		return transition_stop_step(program->config, state).signal == SIGKILL
			   ? "another KILL"
			   : "the next step of its stop";
	case STATE_STOPPED:
	case STATE_WAITING:
	case STATE_PREPARING:
	case STATE_SETTLING:
	case STATE_RUNNING:
	case STATE_ENDING:
	case STATE_CLEANING:
	case STATE_EXITED:
	case STATE_COUNT:
		break;
	}
	return NULL;
}

/* The processes that a stop waits for. */
static void write_left(struct jsonw *w, struct program *program)
{
	char text[AIM_LEFT_TEXT];

	jsonw_member_string(w, "left",
	    program_state_of(program) == STATE_STOPPING
		? run_left_text(&program->run, text, sizeof(text))
		: NULL);
}

/* The next thing that a person could do; NULL: nothing needs to be done. */
static const char *advice_of(const struct program *program, char *buffer, size_t size)
{
	const struct ledger_state *state = program_state(program);
	const char *name = program_name(program);
	const bool is_on_event = program_is_on_event(program);
	const uint64_t missed = program->engine->history->asked[program->run.row].missed;

	if (is_on_event && missed > 0) {
		(void)snprintf(buffer, size,
		    "it has missed %llu events, as its runs take longer than they take to come: "
		    "a narrower match, or a shorter exec",
		    (unsigned long long)missed);
	} else if (state->state == STATE_RUNNING && state->health == LEDGER_HEALTH_BAD)
		(void)snprintf(buffer, size,
		    "it runs, but its health check fails: superctl logs %s, superctl restart %s",
		    name, name);
	else if (program->engine->safe_mode && !step_is_live((enum state)state->state))
		(void)snprintf(buffer, size, "safe mode starts nothing: superctl apply leaves it");
	else if (state->reason == REASON_LAUNCH && !step_is_live((enum state)state->state))
		(void)snprintf(buffer, size,
		    "superctl doctor %s tells what keeps it from being launched; when that is "
		    "mended: superctl start %s",
		    name, name);
	else if (is_on_event)
		return NULL;
	else if (state->reason == REASON_EXIT && !step_is_up((enum state)state->state) &&
		 end_advice(program, buffer, size))
		;
	else if (state->state == STATE_FATAL || state->state == STATE_BACKOFF)
		(void)snprintf(buffer, size, "superctl logs %s may say more; %s: superctl start %s",
		    name, state->state == STATE_FATAL ? "when it is mended" : "to start it at once",
		    name);
	else if (state->state == STATE_EXITED || state->state == STATE_STOPPED)
		(void)snprintf(buffer, size, "superctl start %s starts it", name);
	else
		return NULL;
	return buffer;
}

/* By what is known of the end; false: nothing that helps. */
static bool end_advice(const struct program *program, char *buffer, size_t size)
{
	const char *name = program_name(program);

	switch ((enum exit_evidence)program_state(program)->step) {
	case EXIT_OOM:
	case EXIT_OOM_OTHER:
		(void)snprintf(buffer, size,
		    "it needs less memory, or its cgroup a higher memory.max; then superctl start "
		    "%s",
		    name);
		return true;
	case EXIT_OOM_LIKELY:
	case EXIT_STRANGER:
		(void)snprintf(buffer, size,
		    "dmesg tells whether the kernel killed it for want of memory; superctl start "
		    "%s",
		    name);
		return true;
	case EXIT_PLAIN:
	case EXIT_BY_OPERATOR:
		break;
	}
	return false;
}
