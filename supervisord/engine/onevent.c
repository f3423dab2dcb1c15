/* SPDX-License-Identifier: ISC */
/* onevent.c: see onevent.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/ownlog.h"
#include "lib/wstatus.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/eventmatch.h"
#include "supervisord/engine/events.h"
#include "supervisord/engine/launch.h"
#include "supervisord/engine/onevent.h"
#include "supervisord/engine/record.h"

static bool is_about_events(const struct program *program);
static bool may_run(const struct program *program);
static bool look(struct program *program);
static void note_missed(struct program *program);
static bool is_wanted(const struct program *program, const struct history_event *event);
static struct event_view view_of(const struct engine *engine, const struct history_event *event);
static const char *state_of(const struct history_event *event);

void onevent_take_config(struct engine *engine)
{
	engine->has_on_event = false;
	for (size_t i = 0; i < engine->program_count; i++) {
		struct program *program = engine->programs[i];
		struct history_asked *asked = &engine->history->asked[program->run.row];

		if (!is_about_events(program))
			continue;
		engine->has_on_event = true;
		if (asked->looked == 0) /* it is new: what was before is nothing to it */
			asked->looked = history_next(engine->history) - 1;
	}
}

static bool is_about_events(const struct program *program)
{
	return program_is_on_event(program) && !program->removed;
}

bool onevent_run(struct engine *engine)
{
	bool any = false;

	if (!engine->has_on_event || engine->safe_mode || engine->shutdown)
		return false;
	for (size_t i = 0; i < engine->program_count; i++)
		if (is_about_events(engine->programs[i]))
			any |= look(engine->programs[i]);
	return any;
}

/* Nothing of the run before is left. */
static bool may_run(const struct program *program)
{
	return step_is_at_rest(program_state_of(program)) && program_pid(program) == 0;
}

/* On through the events, up to one that starts it. */
static bool look(struct program *program)
{
	struct history_memory *history = program->engine->history;
	struct history_asked *asked = &history->asked[program->run.row];

	note_missed(program);
	while (may_run(program) && asked->looked + 1 < history_next(history)) {
		uint64_t number = asked->looked + 1;
		const struct history_event *event = history_find(history, number);

		if (event == NULL || !is_wanted(program, event)) {
			asked->looked = number;
			continue;
		}
		asked->event = number;
		asked->looked = number;
		program_start(program, &(struct cause){.reason = REASON_EVENT,
					   .detail = (int32_t)(number & INT32_MAX)});
		return true;
	}
	return false;
}

static void note_missed(struct program *program)
{
	struct history_memory *history = program->engine->history;
	struct history_asked *asked = &history->asked[program->run.row];
	uint64_t first = history_first(history);

	if (asked->looked + 1 >= first)
		return;
	asked->missed += first - (asked->looked + 1);
	asked->looked = first - 1;
	log_warning("%s: it is too slow: it has missed %llu events by now", program_name(program),
	    (unsigned long long)asked->missed);
}

static bool is_wanted(const struct program *program, const struct history_event *event)
{
	const struct engine *engine = program->engine;
	const struct program *subject = engine_program_of_row(engine, event->row);
	const struct event_view view = view_of(engine, event);

	/* A program that runs because of events is the cause of none. */
	if (subject != NULL && program_is_on_event(subject))
		return false;
	return eventmatch_holds(program->config->life->key_match, &view);
}

static struct event_view view_of(const struct engine *engine, const struct history_event *event)
{
	return (struct event_view){
	    .name = history_name(
		engine->history, engine->ledger, event->row, atomic_load(&event->number)),
	    .state = state_of(event),
	    .kind = history_kind_name((enum history_kind)event->kind),
	    .ended = event->ended,
	    .failed = event->failed,
	    .by_signal = event->ended && !wstatus_is_exit(event->wstatus),
	};
}

/* That it has entered, as people see it. */
static const char *state_of(const struct history_event *event)
{
	return event->kind == HISTORY_STATE ? step_state_name((enum state)event->state) : NULL;
}

int onevent_add(const struct program *program, char **environment, size_t *count)
{
	const struct engine *engine = program->engine;
	const struct history_asked *asked = &engine->history->asked[program->run.row];
	const struct history_event *event;
	struct event_view view;
	char text[REASON_TEXT];
	int error;

	if (!is_about_events(program) || asked->event == 0)
		return 0;
	event = history_find(engine->history, asked->event);
	if (event == NULL)
		return launch_add_variable(
		    environment, count, "EVENT_NUMBER=%llu", (unsigned long long)asked->event);
	view = view_of(engine, event);
	error = launch_add_variable(
	    environment, count, "EVENT_NUMBER=%llu", (unsigned long long)asked->event);
	if (error == 0)
		error = launch_add_variable(environment, count, "EVENT_KIND=%s", view.kind);
	if (error == 0)
		error = launch_add_variable(environment, count, "EVENT_TIME=%s",
		    record_time(event->wall_ns, text, sizeof(text)));
	if (error == 0)
		error = launch_add_variable(
		    environment, count, "EVENT_PROGRAM=%s", view.name != NULL ? view.name : "");
	if (error == 0)
		error = launch_add_variable(
		    environment, count, "EVENT_STATE=%s", view.state != NULL ? view.state : "");
	if (error == 0)
		error = launch_add_variable(environment, count, "EVENT_FROM=%s",
		    view.state != NULL ? step_state_name((enum state)event->from) : "");
	if (error == 0)
		error = launch_add_variable(environment, count, "EVENT_RUN=%u", event->run);
	if (error == 0)
		error = launch_add_variable(environment, count, "EVENT_REASON=%s",
		    events_text(engine, NULL, event, text, sizeof(text)));
	if (error == 0 && asked->missed > 0)
		error = launch_add_variable(
		    environment, count, "EVENT_MISSED=%llu", (unsigned long long)asked->missed);
	return error;
}
