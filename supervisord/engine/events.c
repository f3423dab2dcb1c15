/* SPDX-License-Identifier: ISC */
/* events.c: see events.h. */
#define _GNU_SOURCE
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/signame.h"
#include "lib/wstatus.h"
#include "supervisord/engine/call.h"
#include "supervisord/engine/changes.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/events.h"
#include "supervisord/engine/lognews.h"
#include "supervisord/engine/programwords.h"
#include "supervisord/engine/record.h"
#include "supervisord/engine/selection.h"

#define DEFAULT_LINES 10

/* What a client follows. */
struct watch {
	uint64_t next; /* to be told */
	char **names;  /* of programs, and globs; NULL: everything */
	size_t name_count;
};

static bool read_watch(struct call *call, int64_t since, int64_t lines, struct watch **ret_watch);
static bool read_names(struct call *call, struct watch *watch);
static bool add_name(struct watch *watch, const char *name);
static void watch_free(struct watch *watch);
static uint64_t last_lines(const struct engine *engine, const struct watch *watch, int64_t lines);
static void write_reply(struct jsonw *w, const struct engine *engine, struct watch *watch,
    uint64_t most, bool continues);
static bool is_wanted(
    const struct engine *engine, const struct watch *watch, const struct history_event *event);
static struct ledger_state state_of(const struct history_event *event);
static const char *text_of_reason(const struct engine *engine, const struct control_client *reader,
    const struct history_event *event, char *buffer, size_t size);
static void write_change(
    struct jsonw *w, const struct engine *engine, const struct history_event *event);

void events_read(struct call *call)
{
	static const char *const names[] = {"names", "since", "lines", "follow", NULL};
	struct control_client *client = call->client;
	int64_t since = -1, lines = DEFAULT_LINES;
	struct watch *watch;
	bool follow = false;

	if (!call_allows(call, names) || !call_get_int(call, "since", 0, INT64_MAX - 1, &since) ||
	    !call_get_int(call, "lines", -1, LIMIT_EVENTS, &lines) ||
	    !call_get_bool(call, "follow", &follow))
		return;
	if (follow && !client->more) {
		call_error_text(call, "org.varlink.service.ExpectedMore", NULL, NULL);
		return;
	}
	if (!read_watch(call, since, lines, &watch))
		return;
	if (follow) {
		client->watch = watch;
		/* At once, even when there is nothing: so that it is known from where on. */
		write_reply(&call->w, call->engine, watch, LIMIT_EVENT_BATCH, true);
		control_reply(client, &call->w);
		events_serve(client);
		return;
	}
	write_reply(&call->w, call->engine, watch, LIMIT_EVENTS, false);
	control_reply(client, &call->w);
	watch_free(watch);
}

void events_serve(struct control_client *client)
{
	struct watch *watch = client->watch;
	const struct engine *engine = client->engine;
	struct jsonw w;

	if (watch == NULL)
		return;
	jsonw_init(&w, LIMIT_CONTROL_QUEUE);
	while (!client->dead && watch->next < history_next(engine->history) &&
	       varlink_output_pending(&client->output) == 0) {
		uint64_t before = watch->next;

		write_reply(&w, engine, watch, LIMIT_EVENT_BATCH, true);
		if (watch->next == before)
			break;
		control_reply(client, &w);
	}
	jsonw_done(&w);
}

void events_forget(struct control_client *client)
{
	watch_free(client->watch);
	client->watch = NULL;
}

bool events_are_new(struct engine *engine)
{
	uint64_t next = history_next(engine->history);
	bool are_new = engine->history_told != next;

	engine->history_told = next;
	return are_new;
}

/* False: answered. */
static bool read_watch(struct call *call, int64_t since, int64_t lines, struct watch **ret_watch)
{
	struct watch *watch = calloc(1, sizeof(*watch));

	if (watch == NULL) {
		call_out_of_memory(call);
		return false;
	}
	if (!read_names(call, watch)) {
		watch_free(watch);
		return false;
	}
	watch->next = since >= 0 ? (uint64_t)since + 1 : last_lines(call->engine, watch, lines);
	*ret_watch = watch;
	return true;
}

/* What is named must be known, or have been; of a glob nobody knows what will come.  False:
 * answered. */
static bool read_names(struct call *call, struct watch *watch)
{
	const struct engine *engine = call->engine;
	const json_t *names = json_object_get(call->parameters, "names");
	size_t count = json_array_size(names);

	if ((names != NULL && !json_is_null(names) && !json_is_array(names)) ||
	    count > LIMIT_COMMAND_NAMES) {
		call_invalid_parameter(call, "names");
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		const char *name = json_string_value(json_array_get(names, i));
		const struct group_config *group =
		    name != NULL ? config_find_group(engine->config, name) : NULL;
		bool ok;

		if (name == NULL) {
			call_invalid_parameter(call, "names");
			return false;
		}
		if (group == NULL && engine_find(engine, name) == NULL &&
		    strpbrk(name, "*?[") == NULL && strcmp(name, "all") != 0 &&
		    !history_has_former(engine->history, name)) {
			selection_tell_missing(call, name, true);
			return false;
		}
		ok = add_name(watch, strcmp(name, "all") == 0 ? "*" : name);
		for (size_t k = 0;
		     ok && group != NULL && group->members != NULL && group->members[k] != NULL;
		     k++)
			ok = add_name(watch, group->members[k]);
		if (!ok) {
			call_out_of_memory(call);
			return false;
		}
	}
	return true;
}

static bool add_name(struct watch *watch, const char *name)
{
	char **list = realloc(watch->names, (watch->name_count + 1) * sizeof(*list));
	char *copy = list != NULL ? strdup(name) : NULL;

	if (list != NULL)
		watch->names = list;
	if (copy != NULL)
		watch->names[watch->name_count++] = copy;
	return copy != NULL;
}

static void watch_free(struct watch *watch)
{
	if (watch == NULL)
		return;
	for (size_t i = 0; i < watch->name_count; i++)
		free(watch->names[i]);
	free(watch->names);
	free(watch);
}

/* Where the last so many begin; -1: all that there are. */
static uint64_t last_lines(const struct engine *engine, const struct watch *watch, int64_t lines)
{
	uint64_t first = history_first(engine->history), at = history_next(engine->history);

	if (lines < 0)
		return first;
	while (at > first && lines > 0) {
		const struct history_event *event = history_find(engine->history, --at);

		if (event != NULL && is_wanted(engine, watch, event))
			lines--;
	}
	return at;
}

/* On from watch->next, which goes on. */
static void write_reply(struct jsonw *w, const struct engine *engine, struct watch *watch,
    uint64_t most, bool continues)
{
	uint64_t first = history_first(engine->history), end = history_next(engine->history);
	uint64_t from = watch->next, count = 0;
	bool is_lost = from < first && from >= engine->history->begin;
	/* A number that was never given: of a supervisord before this one. */
	bool is_strange = from > end || from < engine->history->begin;

	if (is_lost || is_strange)
		watch->next = first;
	jsonw_begin_object(w);
	jsonw_key(w, "parameters");
	jsonw_begin_object(w);
	jsonw_key(w, "events");
	jsonw_begin_array(w);
	while (watch->next < end && count < most) {
		const struct history_event *event = history_find(engine->history, watch->next++);

		if (event == NULL || !is_wanted(engine, watch, event))
			continue;
		/* The right to follow events is one over all programs. */
		events_write(w, engine, NULL, event);
		count++;
	}
	jsonw_end_array(w);
	jsonw_key(w, "gap");
	if (is_lost || is_strange) {
		jsonw_begin_object(w);
		jsonw_member_int(w, "from", (int64_t)from);
		jsonw_member_int(w, "to", (int64_t)first - 1);
		jsonw_end_object(w);
	} else {
		jsonw_null(w);
	}
	jsonw_member_int(w, "last", (int64_t)watch->next - 1);
	jsonw_end_object(w);
	if (continues)
		jsonw_member_bool(w, "continues", true);
	jsonw_end_object(w);
}

static bool is_wanted(
    const struct engine *engine, const struct watch *watch, const struct history_event *event)
{
	const char *name;

	if (watch->name_count == 0)
		return true;
	name =
	    history_name(engine->history, engine->ledger, event->row, atomic_load(&event->number));
	for (size_t i = 0; name != NULL && event->row != HISTORY_NO_ROW && i < watch->name_count;
	     i++)
		if (strcmp(watch->names[i], name) == 0 || fnmatch(watch->names[i], name, 0) == 0)
			return true;
	return false;
}

void events_write(struct jsonw *w, const struct engine *engine, const struct control_client *reader,
    const struct history_event *event)
{
	const struct ledger *ledger = engine->ledger;
	uint64_t number = atomic_load(&event->number);
	bool is_state = event->kind == HISTORY_STATE || event->kind == HISTORY_EXIT ||
			event->kind == HISTORY_REASON;
	const char *state = step_state_name((enum state)event->state);
	const char *from = step_state_name((enum state)event->from);
	bool has_row = event->row != HISTORY_NO_ROW;
	char text[REASON_TEXT];

	jsonw_begin_object(w);
	jsonw_member_int(w, "number", (int64_t)number);
	jsonw_member_string(w, "time", record_time(event->wall_ns, text, sizeof(text)));
	jsonw_member_string(w, "kind", history_kind_name((enum history_kind)event->kind));
	jsonw_member_string(
	    w, "name", has_row ? history_name(engine->history, ledger, event->row, number) : NULL);
	jsonw_member_string(w, "from", is_state ? from : NULL);
	jsonw_member_string(w, "state", is_state ? state : NULL);
	jsonw_key(w, "run");
	if (has_row && event->run > 0)
		jsonw_int(w, event->run);
	else
		jsonw_null(w);
	jsonw_member_string(w, "text", events_text(engine, reader, event, text, sizeof(text)));
	jsonw_key(w, "exit");
	if (event->ended && event->reason != REASON_LAUNCH)
		events_write_exit(w, event->wstatus);
	else
		jsonw_null(w);
	jsonw_key(w, "uid");
	if (event->uid != HISTORY_NO_UID)
		jsonw_int(w, event->uid);
	else
		jsonw_null(w);
	write_change(w, engine, event);
	jsonw_key(w, "log");
	lognews_write(w, event);
	jsonw_end_object(w);
}

/* What an apply has changed, if that is what it is about. */
static void write_change(
    struct jsonw *w, const struct engine *engine, const struct history_event *event)
{
	const struct ledger_state state = state_of(event);
	bool is_state = event->kind == HISTORY_STATE || event->kind == HISTORY_EXIT ||
			event->kind == HISTORY_REASON;

	jsonw_key(w, "change");
	if (event->kind == HISTORY_CONFIG)
		changes_write(w, changes_get(engine->history, event->detail));
	else
		changes_write(w, is_state ? changes_of(engine->history, &state) : NULL);
}

void events_write_exit(struct jsonw *w, int wstatus)
{
	char name[16];

	jsonw_begin_object(w);
	if (wstatus_is_exit(wstatus))
		jsonw_member_int(w, "status", wstatus_code(wstatus));
	else
		jsonw_member_string(
		    w, "signal", signame_format(wstatus_signal(wstatus), name, sizeof(name)));
	jsonw_end_object(w);
}

const char *events_text(const struct engine *engine, const struct control_client *reader,
    const struct history_event *event, char *buffer, size_t size)
{
	char name[REASON_END_TEXT];

	buffer[0] = '\0';
	switch ((enum history_kind)event->kind) {
	case HISTORY_STATE:
	case HISTORY_REASON:
		return text_of_reason(engine, reader, event, buffer, size);
	case HISTORY_EXIT:
		(void)snprintf(buffer, size, "its main process %s",
		    reason_exit_text(event->wstatus, name, sizeof(name)));
		break;
	case HISTORY_HEALTH:
		(void)snprintf(buffer, size, "%s",
		    event->detail == LEDGER_HEALTH_GOOD ? "healthy" : "unhealthy");
		break;
	case HISTORY_COMMAND:
		if (event->step == HISTORY_SIGNAL)
			(void)snprintf(buffer, size, "signal %s sent by uid %u",
			    signame_format(event->detail, name, sizeof(name)), event->uid);
		else
			(void)snprintf(buffer, size, "told to reload by uid %u", event->uid);
		break;
	case HISTORY_CONFIG:
		return changes_text(changes_get(engine->history, event->detail), buffer, size);
	case HISTORY_REMOVED:
		(void)snprintf(buffer, size, "gone with its stanza");
		break;
	case HISTORY_APPLIED:
		(void)snprintf(buffer, size, "configuration applied: %d program%s", event->detail,
		    event->detail == 1 ? "" : "s");
		if (event->uid != HISTORY_NO_UID) {
			size_t length = strlen(buffer);

			(void)snprintf(buffer + length, size - length, ", by uid %u", event->uid);
		}
		break;
	case HISTORY_DAEMON:
		(void)snprintf(buffer, size, "supervisord has started");
		break;
	case HISTORY_ENGINE:
		(void)snprintf(
		    buffer, size, "the engine was started again (start %d)", event->detail);
		break;
	case HISTORY_SAFE:
		(void)snprintf(buffer, size, "%s",
		    event->detail
			? "safe mode: the engine crashed again and again, nothing is started"
			: "safe mode is over");
		break;
	case HISTORY_LOGGER:
		(void)snprintf(
		    buffer, size, "the logger was started again (start %d)", event->detail);
		break;
	case HISTORY_LOG:
		return lognews_text(event, buffer, size);
	case HISTORY_SHUTDOWN:
		(void)snprintf(buffer, size, "supervisord shuts down");
		break;
	case HISTORY_KIND_COUNT:
		break;
	}
	return buffer;
}

/* What was said of the state when it began: the same sentence as in the log and in a status. */
static const char *text_of_reason(const struct engine *engine, const struct control_client *reader,
    const struct history_event *event, char *buffer, size_t size)
{
	const struct history_memory *history = engine->history;
	uint64_t number = atomic_load(&event->number);
	const struct program *program =
	    number >= history->born[event->row] ? engine_program_of_row(engine, event->row) : NULL;
	const struct ledger_state state = state_of(event);
	struct programwords full;

	programwords_fill(
	    &(struct programwords_subject){
		.engine = engine,
		.program = program,
		.row = event->row,
		.number = number,
		.run = event->run,
	    },
	    &state, reader, &full);
	full.words.retry_ms = event->delay_ms != UINT32_MAX ? (long long)event->delay_ms : -1;
	return reason_text(&state, &full.words, buffer, size);
}

/* As far as a sentence is about it.  One that has lost what it requires and stays what it was waits
 * for others before it stops. */
static struct ledger_state state_of(const struct history_event *event)
{
	const bool is_lost = event->reason == REASON_LOST && event->from == event->state;

	return (struct ledger_state){
	    .state = event->state,
	    .flags = is_lost ? LEDGER_FLAG_LOST : 0,
	    .wanted = event->wanted,
	    .reason = event->reason,
	    .detail = event->detail,
	    .step = event->step,
	    .window_starts = event->starts,
	};
}
