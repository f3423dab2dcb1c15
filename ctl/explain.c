/* SPDX-License-Identifier: ISC */
/* explain.c: call_explain_error() of call.h: the errors of the interface in a person's words. */
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "ctl/call.h"
#include "ctl/config_errors.h"
#include "ctl/verbs.h"

#define OURS    "io.superctl."
#define VARLINK "org.varlink.service."

/* So many names are told; at the bottom of a large stack there may be hundreds. */
#define NAMES_SHOWN 10

struct error_row {
	const char *name;
	enum exitcode code;
	void (*tell)(struct call *call, const char *name, int parameters);
};

static void tell_no_such_program(struct call *call, const char *name, int parameters);
static void tell_required_by(struct call *call, const char *name, int parameters);
static void tell_bad_number(struct call *call, const char *name, int parameters);
static void tell_not_set(struct call *call, const char *name, int parameters);
static void tell_not_persisted(struct call *call, const char *name, int parameters);
static void tell_not_forgotten(struct call *call, const char *name, int parameters);
static void tell_name_taken(struct call *call, const char *name, int parameters);
static void tell_not_running(struct call *call, const char *name, int parameters);
static void tell_config_invalid(struct call *call, const char *name, int parameters);
static void tell_not_allowed(struct call *call, const char *name, int parameters);
static void tell_shutting_down(struct call *call, const char *name, int parameters);
static void tell_reason(struct call *call, const char *name, int parameters);
static void tell_no_terminal(struct call *call, const char *name, int parameters);
static void tell_no_input(struct call *call, const char *name, int parameters);
static void tell_no_channel(struct call *call, const char *name, int parameters);
static void tell_not_sent(struct call *call, const char *name, int parameters);
static void tell_no_log(struct call *call, const char *name, int parameters);
static void tell_log_failed(struct call *call, const char *name, int parameters);
static void tell_invalid_parameter(struct call *call, const char *name, int parameters);
static void tell_unknown_method(struct call *call, const char *name, int parameters);

/* clang-format off */
static const struct error_row error_rows[] = {
	{OURS "NoSuchProgram",         EXITCODE_MISSING,     tell_no_such_program},
	{OURS "BadNumber",             EXITCODE_USAGE,       tell_bad_number},
	{OURS "RequiredBy",            EXITCODE_FAILED,      tell_required_by},
	{OURS "NotSet",                EXITCODE_FAILED,      tell_not_set},
	{OURS "NotForgotten",          EXITCODE_FAILED,      tell_not_forgotten},
	{OURS "NameTaken",             EXITCODE_FAILED,      tell_name_taken},
	{OURS "NotPersisted",          EXITCODE_FAILED,      tell_not_persisted},
	{OURS "NotRunning",            EXITCODE_NOT_RUNNING, tell_not_running},
	{OURS "ConfigInvalid",         EXITCODE_FAILED,      tell_config_invalid},
	{OURS "NotAllowed",            EXITCODE_DENIED,      tell_not_allowed},
	{OURS "ShuttingDown",          EXITCODE_FAILED,      tell_shutting_down},
	{OURS "SafeMode",              EXITCODE_FAILED,      tell_reason},
	{OURS "Busy",                  EXITCODE_FAILED,      tell_reason},
	{OURS "NoTerminal",            EXITCODE_FAILED,      tell_no_terminal},
	{OURS "NoInput",               EXITCODE_FAILED,      tell_no_input},
	{OURS "NoChannel",             EXITCODE_FAILED,      tell_no_channel},
	{OURS "NotSent",               EXITCODE_FAILED,      tell_not_sent},
	{OURS "NoLog",                 EXITCODE_FAILED,      tell_no_log},
	{OURS "LogFailed",             EXITCODE_FAILED,      tell_log_failed},
	{VARLINK "InvalidParameter",   EXITCODE_USAGE,       tell_invalid_parameter},
	{VARLINK "PermissionDenied",   EXITCODE_DENIED,      tell_not_allowed},
	{VARLINK "MethodNotFound",     EXITCODE_FAILED,      tell_unknown_method},
	{VARLINK "MethodNotImplemented", EXITCODE_FAILED,    tell_unknown_method},
	{VARLINK "InterfaceNotFound",  EXITCODE_FAILED,      tell_unknown_method},
};
/* clang-format on */

enum exitcode call_explain_error(struct call *call, const char *name, int parameters)
{
	for (size_t i = 0; i < sizeof(error_rows) / sizeof(error_rows[0]); i++) {
		if (strcmp(error_rows[i].name, name) != 0)
			continue;
		error_rows[i].tell(call, name, parameters);
		return error_rows[i].code;
	}
	ctl_complain(call->ctl, "supervisord refused: %s", name);
	return EXITCODE_FAILED;
}

/* A text member of the error's parameters. */
static const char *member(struct call *call, int parameters, const char *key)
{
	struct jsonr *reply = &call->reply;

	return jsonr_text(reply, jsonr_member(reply, parameters, key), "");
}

static void tell_no_such_program(struct call *call, const char *name, int parameters)
{
	const char *program = member(call, parameters, "name");
	const char *nearest = member(call, parameters, "nearest");
	const char *verb = call->ctl->verb->name;
	struct jsonr *reply = &call->reply;
	int64_t several = jsonr_int(reply, jsonr_member(reply, parameters, "several"), 0);

	(void)name;
	if (several > 0)
		ctl_complain(call->ctl,
		    "%s: means %lld programs, and %s takes one: %s, for instance", program,
		    (long long)several, verb, nearest);
	else if (strcmp(nearest, program) == 0) /* there is, but it is not what is wanted */
		ctl_complain(call->ctl, "%s: is a part of %.*s: %s takes the name of the whole",
		    program, (int)strcspn(program, "@+"), program, verb);
	else if (strpbrk(program, "*?[") != NULL)
		ctl_complain(call->ctl,
		    verbs_takes_patterns(call->ctl->verb)
			? "%s: no program has such a name: superctl status lists them"
			: "%s: %s takes the name of one program, and no pattern",
		    program, verb);
	else if (nearest[0] != '\0')
		ctl_complain(call->ctl, "%s: no such program: did you mean %s?", program, nearest);
	else
		ctl_complain(call->ctl, "%s: no such program: superctl status lists them", program);
}

/* "web is required by app, worker (stop them too with --force)" */
static void tell_required_by(struct call *call, const char *name, int parameters)
{
	struct jsonr *reply = &call->reply;
	const char *program = member(call, parameters, "name");
	bool stops = strcmp(call->ctl->verb->name, "stop") == 0;
	int by = jsonr_member(reply, parameters, "by");
	struct out text = {.fd = -1};
	size_t count = 0;
	int64_t hidden;

	(void)name;
	for (int at = jsonr_first(reply, by); at >= 0; at = jsonr_next(reply, by, at)) {
		if (count++ >= NAMES_SHOWN)
			continue;
		out_string(&text, count > 1 ? ", " : "");
		out_string(&text, jsonr_text(reply, at, "?"));
	}
	if (count > NAMES_SHOWN)
		out_format(&text, " and %zu more", count - NAMES_SHOWN);
	hidden = jsonr_int(reply, jsonr_member(reply, parameters, "hidden"), count == 0);
	if (count == 0)
		out_string(&text, "others that you may not see");
	else if (hidden > 0)
		out_format(&text, " and %lld that you may not see", (long long)hidden);
	out_bytes(&text, "", 1);
	ctl_complain(call->ctl, "%s%s required by %s (stop %s too with --force)", program,
	    stops ? " is" : " would have to be stopped, and is",
	    text.error == 0 ? text.data : "others", count + (size_t)hidden == 1 ? "it" : "them");
	out_done(&text);
}

static void tell_bad_number(struct call *call, const char *name, int parameters)
{
	struct jsonr *reply = &call->reply;

	(void)name;
	ctl_complain(call->ctl, "%s: cannot have %lld instances: 1 to %lld are allowed",
	    member(call, parameters, "name"),
	    (long long)jsonr_int(reply, jsonr_member(reply, parameters, "instances"), 0),
	    (long long)jsonr_int(reply, jsonr_member(reply, parameters, "most"), 0));
}

static void tell_not_set(struct call *call, const char *name, int parameters)
{
	struct jsonr *reply = &call->reply;

	(void)name;
	ctl_complain(call->ctl, "%s: %s is not set by superctl set, but by %s:%lld%s",
	    member(call, parameters, "name"), member(call, parameters, "key"),
	    member(call, parameters, "file"),
	    (long long)jsonr_int(reply, jsonr_member(reply, parameters, "line"), 0),
	    jsonr_bool(reply, jsonr_member(reply, parameters, "persisted"), false)
		? ": superctl unset --persist takes it back"
		: "");
}

static void tell_not_persisted(struct call *call, const char *name, int parameters)
{
	(void)name;
	ctl_complain(call->ctl, "%s: nothing was changed: %s", member(call, parameters, "name"),
	    member(call, parameters, "reason"));
}

static void tell_not_forgotten(struct call *call, const char *name, int parameters)
{
	(void)name;
	ctl_complain(call->ctl, "%s: not forgotten: %s", member(call, parameters, "name"),
	    member(call, parameters, "reason"));
}

static void tell_name_taken(struct call *call, const char *name, int parameters)
{
	const char *program = member(call, parameters, "name");

	(void)name;
	ctl_complain(call->ctl,
	    "%s: there is a program or group of that name already: superctl forget %s makes room, "
	    "if "
	    "superctl run started it",
	    program, program);
}

static void tell_not_running(struct call *call, const char *name, int parameters)
{
	const char *program = member(call, parameters, "name");

	(void)name;
	ctl_complain(call->ctl, "%s: not running: superctl start %s starts it", program, program);
}

static void tell_config_invalid(struct call *call, const char *name, int parameters)
{
	(void)name;
	config_errors_print(call, jsonr_member(&call->reply, parameters, "errors"), "");
	ctl_complain(call->ctl, "the configuration has errors: nothing was changed");
}

static void tell_not_allowed(struct call *call, const char *name, int parameters)
{
	struct jsonr *reply = &call->reply;
	const char *right = member(call, parameters, "right");
	const char *what = member(call, parameters, "name");
	int64_t uid = jsonr_int(reply, jsonr_member(reply, parameters, "uid"), -1);
	const struct passwd *entry = uid >= 0 ? getpwuid((uid_t)uid) : NULL;
	char number[24];
	const char *user = entry != NULL ? entry->pw_name : number;
	bool whole = what[0] == '\0' || strcmp(what, "all") == 0;

	(void)name;
	if (right[0] == '\0') {
		ctl_complain(call->ctl, "%s: not allowed for this user", call->ctl->verb->name);
		return;
	}
	(void)snprintf(number, sizeof(number), "%" PRId64, uid);
	ctl_complain(call->ctl,
	    "%s: %s needs the right %s: control { allow = {\"user:%s %s %s\"} } in "
	    "supervisord.conf gives it",
	    what[0] != '\0' ? what : call->ctl->verb->name, user, right, user, right,
	    whole ? "*" : what);
}

static void tell_shutting_down(struct call *call, const char *name, int parameters)
{
	(void)name;
	(void)parameters;
	ctl_complain(call->ctl, "supervisord is shutting down");
}

static void tell_no_terminal(struct call *call, const char *name, int parameters)
{
	(void)name;
	ctl_complain(call->ctl,
	    "%s: has no terminal: tty = true in its stanza gives it one, after superctl apply",
	    member(call, parameters, "name"));
}

static void tell_no_input(struct call *call, const char *name, int parameters)
{
	(void)name;
	ctl_complain(call->ctl,
	    "%s: takes no input: stdin = \"pipe\" or tty = true in its stanza lets it, after "
	    "superctl apply",
	    member(call, parameters, "name"));
}

static void tell_no_channel(struct call *call, const char *name, int parameters)
{
	(void)name;
	ctl_complain(call->ctl,
	    "%s: has no IPC channel: ipc = true in its stanza gives it one, after superctl apply",
	    member(call, parameters, "name"));
}

static void tell_not_sent(struct call *call, const char *name, int parameters)
{
	const char *program = member(call, parameters, "name");

	(void)name;
	ctl_complain(call->ctl, "%s: not sent: %s", program, member(call, parameters, "reason"));
}

static void tell_no_log(struct call *call, const char *name, int parameters)
{
	const char *program = member(call, parameters, "name");

	(void)name;
	if (strcmp(program, "supervisord") == 0)
		ctl_complain(call->ctl, "supervisord runs in the foreground: it has no log of its "
					"own, see its standard error");
	else if (call->ctl->options.set & OPTION_STDERR)
		ctl_complain(call->ctl,
		    "%s: its stderr has no log of its own; with stderr = \"stdout\" it is in that "
		    "of stdout: superctl logs %s",
		    program, program);
	else
		ctl_complain(call->ctl,
		    "%s: this output does not go to a log, see stdout and stderr in its stanza",
		    program);
}

static void tell_log_failed(struct call *call, const char *name, int parameters)
{
	(void)name;
	ctl_complain(call->ctl, "%s: its log: %s", member(call, parameters, "name"),
	    member(call, parameters, "reason"));
}

static void tell_reason(struct call *call, const char *name, int parameters)
{
	const char *what =
	    strcmp(name, OURS "Busy") == 0 ? "busy" : "in safe mode, it starts nothing new";
	const char *reason = member(call, parameters, "reason");

	ctl_complain(
	    call->ctl, "supervisord is %s%s%s", what, reason[0] != '\0' ? ": " : "", reason);
}

static void tell_invalid_parameter(struct call *call, const char *name, int parameters)
{
	(void)name;
	ctl_complain(call->ctl, "%s: supervisord does not accept this %s", call->ctl->verb->name,
	    member(call, parameters, "parameter"));
}

static void tell_unknown_method(struct call *call, const char *name, int parameters)
{
	(void)name;
	(void)parameters;
	ctl_complain(call->ctl,
	    "this supervisord does not know %s: superctl version shows both versions",
	    call->ctl->verb->name);
}
