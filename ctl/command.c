/* SPDX-License-Identifier: ISC */
/* command.c: superctl start, stop, restart, reload and signal: commands on programs and their
 * results. */
#include <string.h>

#include "lib/signame.h"
#include "ctl/call.h"
#include "ctl/drift.h"
#include "ctl/jsonout.h"
#include "ctl/progress.h"
#include "ctl/result.h"

/* The daemon answers at the timeout itself; past this much more it will not answer at all. */
#define GRACE_MS 2000

struct outcome {
	bool needs_running;
	struct jsonout json;
	bool restarts;
	struct drift_names drifted;
	struct progress progress;
	enum exitcode code;
};

static enum exitcode run_command(
    struct ctl *ctl, const char *method, const char *what, const char *doing);
static enum exitcode on_results(struct call *call, int parameters, void *context);

enum exitcode ctl_start(struct ctl *ctl)
{
	return run_command(ctl, "Start", "the start", "starting");
}

enum exitcode ctl_stop(struct ctl *ctl)
{
	return run_command(ctl, "Stop", "the stop", "stopping");
}

enum exitcode ctl_restart(struct ctl *ctl)
{
	return run_command(ctl, "Restart", "the restart", "restarting");
}

enum exitcode ctl_reload(struct ctl *ctl)
{
	return run_command(ctl, "Reload", "the reload", "reloading");
}

enum exitcode ctl_signal(struct ctl *ctl)
{
	struct outcome outcome = {.needs_running = true};
	enum exitcode code;
	struct call call;

	if (signame_parse(ctl->options.names[0]) < 0) {
		ctl_complain(ctl,
		    "signal: %s: no signal: a name such as HUP or SIGHUP, or a number, is needed",
		    ctl->options.names[0]);
		return EXITCODE_USAGE;
	}
	call_init(&call, ctl, "Signal", true);
	call_add_names(&call, 1);
	jsonw_member_string(&call.request, "signal", ctl->options.names[0]);
	call.on_reply = on_results;
	call.context = &outcome;
	code = call_run(&call);
	jsonout_end(&outcome.json, &ctl->out);
	call_done(&call);
	return exitcode_join(code, outcome.code);
}

static enum exitcode run_command(
    struct ctl *ctl, const char *method, const char *what, const char *doing)
{
	struct outcome outcome = {.needs_running = strcmp(method, "Reload") == 0,
	    .restarts = strcmp(method, "Restart") == 0,
	    .drifted = {.text = {.fd = -1}}};
	enum exitcode code;
	struct call call;

	progress_begin(&outcome.progress, ctl, doing);
	call_init(&call, ctl, method, true);
	call_add_names(&call, 0);
	call_add_wait(&call);
	call_set_wait(&call, what, GRACE_MS);
	call.on_reply = on_results;
	call.context = &outcome;
	code = call_run(&call);
	progress_end(&outcome.progress);
	drift_print_applied(ctl, &outcome.drifted);
	jsonout_end(&outcome.json, &ctl->out);
	call_done(&call);
	return exitcode_join(code, outcome.code);
}

static enum exitcode on_results(struct call *call, int parameters, void *context)
{
	struct outcome *outcome = context;
	int results = jsonr_member(&call->reply, parameters, "results");
	int waiting = jsonr_member(&call->reply, parameters, "waiting");

	if (call->ctl->options.set & OPTION_JSON)
		jsonout_add(&outcome->json, &call->ctl->out, &call->reply, results);
	progress_hide(&outcome->progress);
	outcome->code = exitcode_join(outcome->code,
	    outcome->progress.active ? result_print_failed(call, results, outcome->needs_running)
				     : result_print_all(call, results, outcome->needs_running));
	if (outcome->restarts)
		drift_note_restarted(call, results, &outcome->drifted);
	if (outcome->progress.active)
		progress_note(&outcome->progress, &call->reply, results, waiting);
	else
		result_print_waiting(call, waiting, "");
	return EXITCODE_OK;
}
