/* SPDX-License-Identifier: ISC */
/* drift.c: see drift.h. */
#include "ctl/drift.h"

/* So many names are told. */
#define NAMES_SHOWN 5

static enum exitcode on_programs(struct call *call, int parameters, void *context);
static void note(struct jsonr *reply, int record, struct drift_names *names);
static void print_pending(struct call *call, const struct program *program);
static void add(struct drift_names *names, const char *name);
static const char *finish(struct drift_names *names);

void drift_print(struct call *call, int parameters, const struct program *programs, size_t count)
{
	struct jsonr *reply = &call->reply;
	int64_t errors = jsonr_int(reply, jsonr_member(reply, parameters, "file_errors"), 0);
	bool changed = jsonr_bool(reply, jsonr_member(reply, parameters, "files_changed"), false);
	struct drift_names names = {.text = {.fd = -1}};

	if (jsonr_bool(reply, jsonr_member(reply, parameters, "files_checking"), false))
		ctl_complain(call->ctl,
		    "the configuration files have changed and are being read: superctl status "
		    "tells in a moment whether they differ from what is applied");
	if (errors > 0)
		ctl_complain(call->ctl,
		    "the configuration files have %lld error%s: superctl check shows %s",
		    (long long)errors, errors == 1 ? "" : "s", errors == 1 ? "it" : "them");
	for (size_t i = 0; changed && i < count; i++)
		if (programs[i].files_differ)
			add(&names, programs[i].name);
	if (names.count > 0)
		ctl_complain(call->ctl,
		    "files differ from what is applied (%s): superctl plan shows how",
		    finish(&names));
	else if (changed && call->ctl->options.name_count == 0)
		ctl_complain(
		    call->ctl, "files differ from what is applied: superctl plan shows how");
	out_done(&names.text);
	for (size_t i = 0; i < count; i++)
		print_pending(call, &programs[i]);
}

void drift_note_restarted(struct call *call, int results, struct drift_names *names)
{
	struct jsonr *reply = &call->reply;

	for (int at = jsonr_first(reply, results); at >= 0; at = jsonr_next(reply, results, at))
		note(reply, jsonr_member(reply, at, "program"), names);
}

static void note(struct jsonr *reply, int record, struct drift_names *names)
{
	if (jsonr_bool(reply, jsonr_member(reply, record, "files_differ"), false))
		add(names, jsonr_text(reply, jsonr_member(reply, record, "name"), "?"));
}

void drift_look(struct ctl *ctl)
{
	struct drift_names names = {.text = {.fd = -1}};
	bool silent = ctl->err.silent;
	struct call call;

	/* Who may not see them is not told of them. */
	ctl->err.silent = true;
	call_init(&call, ctl, "Status", false);
	call_add_names(&call, 0);
	call.read_only = true;
	call.on_reply = on_programs;
	call.context = &names;
	(void)call_run(&call);
	call_done(&call);
	ctl->err.silent = silent;
	drift_print_applied(ctl, &names);
}

static enum exitcode on_programs(struct call *call, int parameters, void *context)
{
	struct jsonr *reply = &call->reply;
	int programs = jsonr_member(reply, parameters, "programs");

	for (int at = jsonr_first(reply, programs); at >= 0; at = jsonr_next(reply, programs, at))
		note(reply, at, context);
	return EXITCODE_OK;
}

void drift_print_applied(struct ctl *ctl, struct drift_names *names)
{
	if (names->count > 0)
		ctl_complain(ctl,
		    "%s: as it is applied; the files differ: superctl plan shows how, superctl "
		    "apply does it",
		    finish(names));
	out_done(&names->text);
	names->count = 0;
}

static void print_pending(struct call *call, const struct program *program)
{
	struct jsonr *reply = &call->reply;
	struct drift_names keys = {.text = {.fd = -1}};

	for (int at = jsonr_first(reply, program->pending); at >= 0;
	     at = jsonr_next(reply, program->pending, at))
		add(&keys, jsonr_text(reply, at, "?"));
	if (keys.count > 0)
		ctl_complain(call->ctl, "%s: runs with an older %s: takes effect at its next start",
		    program->name, finish(&keys));
	out_done(&keys.text);
}

static void add(struct drift_names *names, const char *name)
{
	if (names->count++ >= NAMES_SHOWN)
		return;
	out_string(&names->text, names->count > 1 ? ", " : "");
	out_string(&names->text, name);
}

static const char *finish(struct drift_names *names)
{
	if (names->count > NAMES_SHOWN)
		out_format(&names->text, " and %zu more", names->count - NAMES_SHOWN);
	out_bytes(&names->text, "", 1);
	return names->text.error == 0 ? names->text.data : "some";
}
