/* SPDX-License-Identifier: ISC */
/* record.c: see record.h. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/signame.h"
#include "lib/wstatus.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/instname.h"
#include "supervisord/engine/keytable.h"
#include "supervisord/engine/procstat.h"
#include "supervisord/engine/record.h"

static int64_t missed_events(const struct program *program);
static const char *status_text(const struct program *program);
static const char *health_name(const struct ledger_state *state);
static void write_pending(struct jsonw *w, const struct program *program);
static void write_last_exit(struct jsonw *w, const struct ledger_state *state);
static void write_usage(struct jsonw *w, pid_t pid);

void record_write(struct jsonw *w, const struct program *program,
    const struct control_client *reader, bool detail)
{
	const struct ledger_state *state = program_state(program);
	pid_t pid = program_pid(program);
	char text[REASON_TEXT];
	struct instname parts;

	instname_split(program_name(program), &parts);
	jsonw_begin_object(w);
	jsonw_member_string(w, "name", program_name(program));
	jsonw_member_string(w, "program", parts.program);
	jsonw_member_int(w, "instance", instname_number(program_name(program)));
	jsonw_member_string(w, "state", step_state_name((enum state)state->state));
	jsonw_member_string(w, "wanted", state->wanted == WANTED_UP ? "up" : "down");
	if (pid > 0)
		jsonw_member_int(w, "pid", pid);
	else
		jsonw_member_null(w, "pid");
	jsonw_member_string(w, "since", record_time(state->since_wall_ns, text, sizeof(text)));
	jsonw_member_int(w, "starts", (int64_t)state->starts);
	write_last_exit(w, state);
	jsonw_member_string(w, "reason", program_reason(program, reader, text, sizeof(text)));
	jsonw_member_string(w, "status_text", status_text(program));
	jsonw_member_bool(w, "ready", state->state == STATE_RUNNING);
	jsonw_member_string(w, "health", health_name(state));
	jsonw_member_string(w, "tracking", record_tracking(program->engine));
	jsonw_member_bool(w, "enabled", program->config->key_autostart);
	if (program->config->life->key_accept) {
		jsonw_member_int(w, "max_connections", program->config->instances);
		jsonw_member_string(w, "peer", accept_peer(program));
	}
	jsonw_member_bool(w, "files_differ", program->files_differ);
	write_pending(w, program);
	jsonw_member_bool(
	    w, "reloading", state->state == STATE_RUNNING && program_is_reloading(program));
	if (program_is_on_event(program)) { /* the others are many */
		jsonw_member_bool(w, "on_event", true);
		jsonw_member_int(w, "missed_events", missed_events(program));
	}
	if (config_is_transient(program->config))
		jsonw_member_bool(w, "transient", true);
	if (detail && pid > 0) {
		write_usage(w, pid);
	} else {
		jsonw_member_null(w, "memory_bytes");
		jsonw_member_null(w, "cpu_ms");
	}
	jsonw_end_object(w);
}

const char *record_time(int64_t wall_ns, char *buffer, size_t size)
{
	time_t seconds = (time_t)(wall_ns / NS_PER_S);
	struct tm utc;

	if (gmtime_r(&seconds, &utc) == NULL)
		memset(&utc, 0, sizeof(utc));
	(void)snprintf(buffer, size, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", utc.tm_year + 1900,
	    utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
	    (int)(wall_ns % NS_PER_S / NS_PER_MS));
	return buffer;
}

const char *record_tracking(const struct engine *engine)
{
	return engine->cgroups.base >= 0 ? "cgroup" : "session";
}

static int64_t missed_events(const struct program *program)
{
	return (int64_t)program->engine->history->asked[program->run.row].missed;
}

/* Of its last run, also when that has failed: its last words may say why. */
static const char *status_text(const struct program *program)
{
	enum state state = program_state_of(program);

	return state == STATE_STOPPED || state == STATE_WAITING || program->config->life->key_accept
		   ? ""
		   : program_status_text(program);
}

/* Of the present run; NULL while nobody has looked. */
static const char *health_name(const struct ledger_state *state)
{
	if (!step_is_live((enum state)state->state) || state->health == LEDGER_HEALTH_UNKNOWN)
		return NULL;
	return state->health == LEDGER_HEALTH_GOOD ? "good" : "bad";
}

static void write_last_exit(struct jsonw *w, const struct ledger_state *state)
{
	char name[16];

	jsonw_key(w, "last_exit");
	if (!(state->flags & LEDGER_FLAG_HAS_EXIT)) {
		jsonw_null(w);
		return;
	}
	jsonw_begin_object(w);
	if (wstatus_is_exit(state->last_wstatus))
		jsonw_member_int(w, "status", wstatus_code(state->last_wstatus));
	else
		jsonw_member_string(w, "signal",
		    signame_format(wstatus_signal(state->last_wstatus), name, sizeof(name)));
	jsonw_end_object(w);
}

/* The keys that the present run does not have yet: they take effect with the next one. */
static void write_pending(struct jsonw *w, const struct program *program)
{
	const struct ledger_state *state = program_state(program);
	const char *keys[KEYTABLE_MARKS];
	size_t count = 0;

	if (!program->removed && step_is_live((enum state)state->state))
		count =
		    keytable_compare_marks(state->next_marks, program->config->next_marks, keys);
	jsonw_key(w, "pending");
	jsonw_begin_array(w);
	for (size_t i = 0; i < count; i++)
		jsonw_string(w, keys[i]);
	jsonw_end_array(w);
}

/* Of the main process. */
static void write_usage(struct jsonw *w, pid_t pid)
{
	struct procstat stat;

	if (!procstat_read(pid, &stat)) {
		jsonw_member_null(w, "memory_bytes");
		jsonw_member_null(w, "cpu_ms");
		return;
	}
	jsonw_member_int(w, "memory_bytes", stat.resident_pages * sysconf(_SC_PAGESIZE));
	jsonw_member_int(w, "cpu_ms",
	    (int64_t)(stat.user_ticks + stat.system_ticks) * 1000 / sysconf(_SC_CLK_TCK));
}
