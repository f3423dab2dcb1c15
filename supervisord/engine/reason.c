/* SPDX-License-Identifier: ISC */
/* reason.c: see reason.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/limits.h"
#include "lib/signame.h"
#include "lib/units.h"
#include "lib/ttylink.h"
#include "lib/wstatus.h"
#include "supervisord/engine/launch.h"
#include "supervisord/engine/reason.h"
#include "supervisord/engine/step.h"
#include "supervisord/engine/taskkind.h"

struct text {
	char *at;
	size_t left;
	bool filled; /* something stands there already */
};

/* What is said of a reason by itself: the words, the state's detail between them if they have a
 * place for it. */
struct phrase {
	const char *before;
	const char *after; /* NULL: there is no number */
};

static const struct phrase phrases[REASON_COUNT] = {
    [REASON_AUTOSTART] = {"autostart", NULL},
    [REASON_STARTED] = {"started by uid ", ""},
    [REASON_STOPPED] = {"stopped by uid ", ""},
    [REASON_RESTARTED] = {"restarted by uid ", ""},
    [REASON_SHUTDOWN] = {"supervisord shuts down", NULL},
    [REASON_RETRY] = {"restarted after a failure (start ", ")"},
    [REASON_KILLED] = {"did not stop in time: KILL was sent", NULL},
    [REASON_UNHEALTHY] = {"its health check failed ", " times in a row"},
    [REASON_RUNTIME] = {"ran longer than max_runtime (", " s)"},
    [REASON_SLOW_RETRY] = {"tried again by on_failure", NULL},
    [REASON_FORCED] = {"stopped by uid ", " with what it requires"},
    [REASON_EVENT] = {"event ", ""},
    [REASON_DEMAND] = {"somebody has connected", NULL},
    [REASON_FLOOD] = {"connections started it ", " times in trigger_limit_interval"},
    [REASON_IDLE] = {"nobody was connected for ", " s (idle_stop)"},
    [REASON_LAST_STATE] = {"as it was when supervisord ended", NULL},
};

static void add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add_memory(struct text *text, const struct exit_finding *finding);
static void add_cause(
    struct text *text, const struct ledger_state *state, const struct reason_words *words);
static void add_launch(
    struct text *text, const struct ledger_state *state, const struct reason_words *words);
static void add_ready(
    struct text *text, const struct ledger_state *state, const struct reason_words *words);
static void add_other(
    struct text *text, const struct ledger_state *state, const struct reason_words *words);
static void add_hook(struct text *text, const struct ledger_state *state);
static void add_change(
    struct text *text, const struct ledger_state *state, const struct reason_words *words);
static void add_outlook(
    struct text *text, const struct ledger_state *state, const struct reason_words *words);

const char *reason_text(
    const struct ledger_state *state, const struct reason_words *words, char *buffer, size_t size)
{
	struct text text = {.at = buffer, .left = size};

	buffer[0] = '\0';
	add_cause(&text, state, words);
	add_outlook(&text, state, words);
	return buffer;
}

const char *reason_exit_text(int wstatus, char *buffer, size_t size)
{
	char name[16];

	if (wstatus_is_exit(wstatus))
		(void)snprintf(buffer, size, "exited with status %d", wstatus_code(wstatus));
	else
		(void)snprintf(buffer, size, "was killed by signal %s%s",
		    signame_format(wstatus_signal(wstatus), name, sizeof(name)),
		    wstatus_is_core_dumped(wstatus) ? " (core dumped)" : "");
	return buffer;
}

const char *reason_end_text(
    int wstatus, const struct exit_finding *finding, char *buffer, size_t size)
{
	enum exit_evidence evidence = finding != NULL ? finding->evidence : EXIT_PLAIN;
	struct text text = {.at = buffer, .left = size};
	char ended[64];

	(void)reason_exit_text(wstatus, ended, sizeof(ended));
	buffer[0] = '\0';
	switch (evidence) {
	case EXIT_PLAIN:
		add(&text, "%s", ended);
		break;
	case EXIT_BY_OPERATOR:
		add(&text, "%s, sent by uid %u", ended, finding->killer);
		break;
	case EXIT_OOM:
		add(&text, "was killed by the kernel: out of memory");
		add_memory(&text, finding);
		break;
	case EXIT_OOM_OTHER:
		add(&text, "%s; the kernel has killed a process of it: out of memory", ended);
		add_memory(&text, finding);
		break;
	case EXIT_OOM_LIKELY:
		add(&text,
		    "%s, not sent by supervisord: the kernel's OOM killer was at work on this "
		    "machine",
		    ended);
		break;
	case EXIT_STRANGER:
		add(&text, "%s, not sent by supervisord", ended);
		break;
	}
	return buffer;
}

/* " (limit 64M, peak 63M)" */
static void add_memory(struct text *text, const struct exit_finding *finding)
{
	char limit[32], peak[32];

	(void)units_format_size((uint64_t)finding->limit_kb * 1024, limit, sizeof(limit));
	(void)units_format_size((uint64_t)finding->peak_kb * 1024, peak, sizeof(peak));
	if (finding->limit_kb > 0 && finding->peak_kb > 0)
		add(text, " (limit %s, peak %s)", limit, peak);
	else if (finding->limit_kb > 0 || finding->peak_kb > 0)
		add(text, " (%s %s)", finding->limit_kb > 0 ? "limit" : "peak",
		    finding->limit_kb > 0 ? limit : peak);
}

/* Appends, and marks what did not fit. */
static void add(struct text *text, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(text->at, text->left, format, arguments);
	va_end(arguments);
	if (length < 0)
		return;
	if ((size_t)length >= text->left) {
		if (text->left > 3)
			memcpy(text->at + text->left - 4, "...", 4);
		length = text->left > 0 ? (int)text->left - 1 : 0;
	}
	text->at += length;
	text->left -= (size_t)length;
	text->filled = text->filled || length > 0;
}

static void add_cause(
    struct text *text, const struct ledger_state *state, const struct reason_words *words)
{
	const struct phrase *phrase =
	    &phrases[state->reason < REASON_COUNT ? state->reason : REASON_NONE];
	char ended[REASON_END_TEXT];

	/* As long as it lasts that is what there is to say. */
	if (words->peer != NULL &&
	    (state->reason == REASON_DEMAND || state->reason == REASON_STABLE)) {
		add(text, "%s has connected", words->peer);
		return;
	}
	if (phrase->before != NULL) {
		add(text, "%s", phrase->before);
		if (phrase->after != NULL)
			add(text, "%d%s", state->detail, phrase->after);
		return;
	}
	switch ((int)state->reason) { /* what a phrase cannot say */
	case REASON_ADDED:
	case REASON_CHANGED:
	case REASON_ROLLED:
		add_change(text, state, words);
		break;
	case REASON_REMOVED:
		if (state->detail > 0)
			add(text, "its program has %d instance%s now", state->detail,
			    state->detail == 1 ? "" : "s");
		else
			add(text, "removed from the configuration");
		break;
	case REASON_STUCK:
		add(text, "%s for %d s",
		    state->detail != 0 ? "had closed its channel and not ended"
				       : "took no connection",
		    (int)(LIMIT_CLUSTER_STUCK_NS / NS_PER_S));
		break;
	case REASON_EXIT:
		add(text, "%s",
		    reason_end_text(state->detail, words->finding, ended, sizeof(ended)));
		break;
	case REASON_LAUNCH:
		add_launch(text, state, words);
		break;
	case REASON_READY:
	case REASON_NOT_READY:
	case REASON_NO_MAIN:
		add_ready(text, state, words);
		break;
	case REASON_REQUIRED:
	case REASON_LOST:
	case REASON_CONFLICT:
	case REASON_GAVE_UP:
	case REASON_WITHOUT:
		add_other(text, state, words);
		break;
	case REASON_HOOK:
	case REASON_HOOK_LAUNCH:
		add_hook(text, state);
		break;
	case REASON_WATCHDOG:
		if (state->detail == 0)
			add(text, "it asked for its watchdog (WATCHDOG=trigger)");
		else
			add(text, "its watchdog had no sign of life for %d s", state->detail);
		break;
	case REASON_ERRNO:
		add(text, "said that it failed: %s", strerror(state->detail));
		break;
	}
}

static void add_ready(
    struct text *text, const struct ledger_state *state, const struct reason_words *words)
{
	static const char *const forms[] = {
	    [CHECK_NONE] = "",
	    [CHECK_NOTIFY] = "notify",
	    [CHECK_FD] = "fd:",
	    [CHECK_TCP] = "tcp:",
	    [CHECK_UNIX] = "unix:",
	    [CHECK_HTTP] = "",
	    [CHECK_EXEC] = "exec:",
	    [CHECK_LOG] = "log:",
	    [CHECK_IPC] = "ipc",
	    [CHECK_LISTENING] = "listening",
	    [CHECK_FILE] = "file:",
	};
	const struct check *check = words->ready;
	const char *form = "", *target = "";
	char number[16];

	if (check != NULL) {
		form = forms[check->kind];
		if (check->kind == CHECK_FD) {
			(void)snprintf(number, sizeof(number), "%d", check->fd);
			target = number;
		} else if (check->target != NULL) {
			target = check->target;
		} else if (check->words != NULL) {
			target = check->words[0];
		}
	}
	if (state->reason == REASON_NO_MAIN)
		add(text, "its command left no main process that could be found");
	else if (state->reason == REASON_NOT_READY && state->detail == EPIPE)
		add(text, "closed %s%s without saying that it is ready", form, target);
	else if (state->reason == REASON_NOT_READY && check != NULL && check->kind == CHECK_NONE)
		add(text, "its command did not end in time"); /* type = forking */
	else if (state->reason == REASON_NOT_READY)
		add(text, "was not ready in time (%s%s)", form, target);
	else if (state->detail == CHECK_NONE)
		return;
	else if (check != NULL && (int32_t)check->kind == state->detail)
		add(text, "ready (%s%s)", form, target);
	else
		add(text, "ready"); /* by what the stanza had said before */
}

static void add_other(
    struct text *text, const struct ledger_state *state, const struct reason_words *words)
{
	const char *other = words->other != NULL ? words->other : "a program that is gone";

	if (state->reason == REASON_REQUIRED)
		add(text, "needed by %s", other);
	else if (state->reason == REASON_LOST)
		add(text, "%s, which it requires, is not there any more", other);
	else if (state->reason == REASON_WITHOUT)
		add(text, "goes on without %s, which it wants", other);
	else if (state->reason == REASON_CONFLICT)
		add(text, "conflicts with %s, which starts", other);
	else
		add(text, "started by on_failure of %s", other);
}

/* "command, user changed, applied by uid 0" */
static void add_change(
    struct text *text, const struct ledger_state *state, const struct reason_words *words)
{
	const struct reason_change *change = words->change;
	bool is_named = change != NULL && change->keys[0] != '\0';

	if (state->reason == REASON_ROLLED)
		add(text, "rolling update%s", is_named ? ": " : "");
	if (is_named)
		add(text, "%s changed", change->keys);
	else if (state->reason == REASON_CHANGED)
		add(text, "its configuration changed");
	else if (state->reason == REASON_ADDED)
		add(text, "new in the configuration");
	if (change == NULL)
		return;
	switch (change->by) {
	case APPLIED_BY_COMMAND:
		add(text, ", applied by uid %u", change->uid);
		break;
	case APPLIED_BY_HANGUP:
		add(text, ", applied by HUP");
		break;
	case APPLIED_BY_ROLLBACK:
		add(text, ", by the rollback of an apply");
		break;
	}
}

static void add_hook(struct text *text, const struct ledger_state *state)
{
	const char *name = task_kind_name((enum task_kind)state->step);
	char ended[64];

	if (state->reason == REASON_HOOK_LAUNCH)
		add(text, "%s: %s", name, strerror(state->detail));
	else if (state->detail < 0)
		add(text, "%s took too long", name);
	else
		add(text, "%s %s", name, reason_exit_text(state->detail, ended, sizeof(ended)));
}

/* "chdir /srv/app: No such file or directory" */
static void add_launch(
    struct text *text, const struct ledger_state *state, const struct reason_words *words)
{
	const char *what = NULL;

	switch ((enum launch_step)state->step) {
	case LAUNCH_STDIN:
	case LAUNCH_STDOUT:
	case LAUNCH_STDERR:
		what = words->stream_target[state->step - LAUNCH_STDIN];
		break;
	case LAUNCH_DIRECTORY:
		what = words->directory;
		break;
	case LAUNCH_USER:
	case LAUNCH_GROUPS:
	case LAUNCH_GID:
	case LAUNCH_UID:
		what = words->user;
		break;
	case LAUNCH_EXEC:
		what = words->program_path;
		break;
	case LAUNCH_SOCKETS:
		what = words->socket;
		break;
	case LAUNCH_TTY:
		what = TTY_MASTER;
		break;
	case LAUNCH_NONE:
	case LAUNCH_PREPARE:
	case LAUNCH_NOTIFY:
	case LAUNCH_READY:
	case LAUNCH_IPC:
	case LAUNCH_CGROUP:
	case LAUNCH_CLONE:
	case LAUNCH_DESCRIPTORS:
	case LAUNCH_SESSION:
	case LAUNCH_LIMITS:
	case LAUNCH_SIGNALS:
		break;
	}
	add(text, "%s%s%s: %s", launch_step_name((enum launch_step)state->step),
	    what != NULL ? " " : "", what != NULL ? what : "", strerror(state->detail));
}

static void add_turn(struct text *text, const struct ledger_state *state, const char *comma)
{
	if (state->flags & LEDGER_FLAG_TURN)
		add(text, "%sto be replaced in its turn", comma);
	else if (state->flags & LEDGER_FLAG_FRESH)
		add(text, "%snew, has to stay up", comma);
	else if (state->flags & LEDGER_FLAG_KEPT)
		add(text, "%snot replaced: the rolling update was given up", comma);
}

static void add_retry(struct text *text, const char *comma, long long retry_ms)
{
	char age[32];

	add(text, "%sagain in %s", comma, units_format_age(retry_ms * NS_PER_MS, age, sizeof(age)));
}

/* What happens next. */
static void add_outlook(
    struct text *text, const struct ledger_state *state, const struct reason_words *words)
{
	bool cause = text->filled;
	const char *comma = cause ? "; " : "";

	switch ((enum state)state->state) {
	case STATE_BACKOFF:
		if (words->safe_mode)
			add(text, "%ssafe mode: not started again", comma);
		else if (words->retry_ms >= 0)
			add_retry(text, comma, words->retry_ms);
		break;
	case STATE_FATAL:
		if (state->reason == REASON_FLOOD)
			add(text, "%sgave up", comma);
		else
			add(text, "%sgave up after %u start%s", comma, state->window_starts,
			    state->window_starts == 1 ? "" : "s");
		if (words->retry_ms >= 0)
			add_retry(text, "; ", words->retry_ms);
		break;
	case STATE_WAITING:
		if (words->safe_mode)
			add(text, "%ssafe mode: nothing is started", comma);
		else if (words->waits_for != NULL)
			add(text, "%swaits for %s%s%s", comma, words->waits_for,
			    words->waits_condition != NULL ? " to be " : "",
			    words->waits_condition != NULL ? words->waits_condition : "");
		else if (words->demand != NULL)
			add(text, "%swaits for a connection on %s", comma, words->demand);
		break;
	case STATE_PREPARING:
		add(text, "%spre_start is running", comma);
		break;
	case STATE_SETTLING:
		add(text, "%spost_start is running", comma);
		break;
	case STATE_ENDING:
		add(text, "%spre_stop is running", comma);
		break;
	case STATE_CLEANING:
		add(text, "%spost_stop is running", comma);
		break;
	case STATE_STARTING:
	case STATE_RUNNING:
		if (words->waits_for != NULL)
			add(text, "%sto be stopped after %s", comma, words->waits_for);
		else
			add_turn(text, state, comma);
		break;
	case STATE_STOPPED:
	case STATE_STOPPING:
	case STATE_EXITED:
	case STATE_COUNT:
		break;
	}
}
