/* SPDX-License-Identifier: ISC */
/*
 * logs.c: superctl logs: which logs are meant, and what is asked of them.  What a program wrote is
 * shown as it is, on a terminal too, as tail(1) does it: colours are part of it, and who wants it
 * tame pipes it through cat -v.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/limits.h"
#include "lib/nearest.h"
#include "lib/timestamp.h"
#include "ctl/logview.h"
#include "ctl/program.h"
#include "ctl/stanzas.h"

#define OWN_LOG_NAME "supervisord"

/* What is done to logs instead of showing them; and what says how they are shown. */
#define ACTS (OPTION_ROTATE | OPTION_REOPEN | OPTION_CLEAR)
#define SHOWING                                                                                    \
	(OPTION_LINES | OPTION_FOLLOW | OPTION_STDERR | OPTION_SINCE | OPTION_RUN |      \
	    OPTION_GREP | OPTION_JSON)

static enum exitcode find_logs(struct logview *view);
static enum exitcode on_programs(struct call *call, int parameters, void *context);
static enum exitcode on_error(struct call *call, const char *name, int parameters, void *context);
static bool is_plain(const struct ctl *ctl);
static enum exitcode add_as_named(struct logview *view);
static enum exitcode add_log(struct logview *view, const char *name, const char *program);
static bool check_act(struct ctl *ctl);
static enum exitcode begin_view(struct logview *view, char since[TIMESTAMP_SIZE]);
static enum exitcode show(struct logview *view);
static void end_view(struct logview *view);
static bool is_named(const struct options *options, const char *name);

enum exitcode ctl_logs(struct ctl *ctl)
{
	struct logview view = {.ctl = ctl};
	char since[TIMESTAMP_SIZE];
	enum exitcode code;

	if (!check_act(ctl))
		return EXITCODE_USAGE;
	code = begin_view(&view, since);
	if (code == EXITCODE_OK)
		code = find_logs(&view);
	if (code == EXITCODE_OK)
		code = (ctl->options.set & ACTS) ? logact_run(&view) : show(&view);
	end_view(&view);
	return code;
}

bool logview_is_plain(const struct logview *view)
{
	return view->count == 1 && !view->show.json && !logfilter_is_active(&view->filter) &&
	       !logline_has_name(view->sources[0].format);
}

bool logview_wants(
    const struct logview *view, const struct logsource *source, const struct logline *line)
{
	size_t length = strlen(source->name);

	/* "web:filter" is a companion of web. */
	if (line->name != NULL &&
	    (line->name_length < length || memcmp(line->name, source->name, length) != 0 ||
		(line->name_length > length && line->name[length] != ':')))
		return false;
	return logfilter_wants(&view->filter, line, source->time_ns);
}

void logview_show(struct logview *view, struct logsource *source, const struct logline *line)
{
	const struct logshow_origin origin = {
	    .name = source->name,
	    .program = source->program,
	    .stream = view->query.of_stderr ? "err" : "out",
	    .number = (size_t)(source - view->sources),
	};

	logshow_line(&view->show, &origin, line);
}

enum exitcode logview_join(const struct logview *view)
{
	enum exitcode code = EXITCODE_OK;
	size_t silent = 0;

	for (size_t i = 0; i < view->count; i++) {
		const struct logsource *source = &view->sources[i];

		/* Of many, those that write no log are passed over. */
		if (source->has_no_log && !source->is_named)
			silent++;
		else
			code = exitcode_join(code, source->code);
	}
	if (silent < view->count)
		return code;
	ctl_complain(view->ctl, "none of these programs writes %sto a log",
	    view->query.of_stderr ? "its stderr " : "");
	return EXITCODE_FAILED;
}

/* --rotate and the like are commands of their own. */
static bool check_act(struct ctl *ctl)
{
	option_set acts = ctl->options.set & ACTS;
	option_set others = acts != 0 ? ctl->options.set & SHOWING : 0;

	if ((acts & (acts - 1)) == 0 && others == 0)
		return true;
	if (others == 0)
		others = acts & (acts - 1);
	ctl_complain(ctl, "logs: --%s does not go with --%s", options_find(others)->name,
	    options_find(acts & ~others)->name);
	return false;
}

static enum exitcode begin_view(struct logview *view, char since[TIMESTAMP_SIZE])
{
	const struct options *options = &view->ctl->options;
	bool has_since = (options->set & OPTION_SINCE) != 0;
	char problem[128];
	int r;

	logshow_init(&view->show, &view->ctl->out, (options->set & OPTION_JSON) != 0);
	r = logfilter_init(&view->filter, has_since ? options->since_ns : LOGLINE_NO_TIME,
	    (options->set & OPTION_RUN) ? options->run : -1, options->grep, problem,
	    sizeof(problem));
	if (r < 0) {
		ctl_complain(view->ctl, "%s: not a regular expression: %s", options->grep, problem);
		return EXITCODE_USAGE;
	}
	view->query = (struct log_query){
	    .lines = options->lines,
	    .since = has_since ? timestamp_format(options->since_ns, since) : NULL,
	    .of_stderr = (options->set & OPTION_STDERR) != 0,
	};
	view->last = -1;
	/* Which are the last lines is known when those that are not wanted are left out. */
	if (logfilter_is_active(&view->filter)) {
		view->query.lines = -1;
		if (options->set & OPTION_LINES)
			view->last = options->lines;
	}
	return EXITCODE_OK;
}

static void end_view(struct logview *view)
{
	for (size_t i = 0; i < view->count; i++)
		logsource_done(&view->sources[i]);
	free(view->sources);
	logshow_done(&view->show);
	logfilter_done(&view->filter);
}

/* The daemon's own log, and the programs that the other names stand for. */
static enum exitcode find_logs(struct logview *view)
{
	const struct options *options = &view->ctl->options;
	enum exitcode code = EXITCODE_OK;
	bool all_own = true;
	struct call call;

	if (is_named(options, OWN_LOG_NAME))
		code = add_log(view, OWN_LOG_NAME, OWN_LOG_NAME);
	call_init(&call, view->ctl, "Status", false);
	jsonw_key(&call.request, "names");
	jsonw_begin_array(&call.request);
	for (size_t i = 0; i < options->name_count; i++) {
		if (strcmp(options->names[i], OWN_LOG_NAME) == 0)
			continue;
		jsonw_string(&call.request, options->names[i]);
		all_own = false;
	}
	jsonw_end_array(&call.request);
	call.read_only = true;
	call.on_reply = on_programs;
	call.on_error = on_error;
	call.context = view;
	if (code == EXITCODE_OK && !all_own)
		code = call_run(&call);
	call_done(&call);
	return code;
}

static enum exitcode on_programs(struct call *call, int parameters, void *context)
{
	struct logview *view = context;
	struct jsonr *reply = &call->reply;
	int programs = jsonr_member(reply, parameters, "programs");
	enum exitcode code = EXITCODE_OK;

	for (int at = jsonr_first(reply, programs); at >= 0 && code == EXITCODE_OK;
	     at = jsonr_next(reply, programs, at)) {
		struct program program;

		if (program_read(reply, at, &program) < 0) {
			ctl_complain(call->ctl, "cannot understand the list of programs");
			return EXITCODE_FAILED;
		}
		code = add_log(view, program.name, program.program);
	}
	return code;
}

/* "logs rotate web" was meant otherwise, and so was "supervisrod". */
static enum exitcode on_error(struct call *call, const char *name, int parameters, void *context)
{
	static const char *const verbs[] = {"rotate", "reopen", "clear"};
	static const char *const own[] = {OWN_LOG_NAME};
	struct jsonr *reply = &call->reply;
	const char *who = jsonr_text(reply, jsonr_member(reply, parameters, "name"), "");
	const char *nearest = jsonr_text(reply, jsonr_member(reply, parameters, "nearest"), "");

	if (strcmp(name, "io.superctl.NotAllowed") == 0 && is_plain(call->ctl))
		return add_as_named(context);
	if (strcmp(name, "io.superctl.NoSuchProgram") != 0)
		return call_explain_error(call, name, parameters);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(who, verbs[i]) != 0)
			continue;
		ctl_complain(call->ctl, "%s: no such program: superctl logs --%s NAME... does that",
		    who, who);
		return EXITCODE_MISSING;
	}
	if (nearest[0] == '\0' && nearest_find(who, own, 1) != NULL) {
		ctl_complain(call->ctl, "%s: no such program: did you mean %s?", who, OWN_LOG_NAME);
		return EXITCODE_MISSING;
	}
	return call_explain_error(call, name, parameters);
}

/* No globs: who may read a log needs not be allowed to see more of the program. */
static bool is_plain(const struct ctl *ctl)
{
	for (size_t i = 0; i < ctl->options.name_count; i++)
		if (stanzas_is_pattern(ctl->options.names[i]))
			return false;
	return true;
}

static enum exitcode add_as_named(struct logview *view)
{
	const struct options *options = &view->ctl->options;
	enum exitcode code = EXITCODE_OK;

	for (size_t i = 0; i < options->name_count && code == EXITCODE_OK; i++)
		if (strcmp(options->names[i], OWN_LOG_NAME) != 0) /* is there already */
			code = add_log(view, options->names[i], options->names[i]);
	return code;
}

static enum exitcode add_log(struct logview *view, const char *name, const char *program)
{
	int r;

	if (view->count == LIMIT_LOG_SOURCES) {
		ctl_complain(view->ctl, "these are more than %d logs: name fewer of them",
		    LIMIT_LOG_SOURCES);
		return EXITCODE_FAILED;
	}
	if (view->sources == NULL)
		view->sources = calloc(LIMIT_LOG_SOURCES, sizeof(*view->sources));
	r = view->sources == NULL ? -ENOMEM
				  : logsource_init(&view->sources[view->count], view->ctl,
					&view->query, name, program);
	if (r < 0) {
		ctl_complain(view->ctl, "%s", strerror(-r));
		return EXITCODE_FAILED;
	}
	view->sources[view->count].is_named = is_named(&view->ctl->options, name);
	view->count++;
	return EXITCODE_OK;
}

static enum exitcode show(struct logview *view)
{
	enum exitcode code;

	if (view->count == 0) {
		ctl_complain(view->ctl, "there are no programs");
		return EXITCODE_OK;
	}
	code = loghistory_run(view);
	if (out_flush(&view->ctl->out) < 0)
		code = EXITCODE_FAILED;
	if (code == EXITCODE_OK && (view->ctl->options.set & OPTION_FOLLOW))
		code = logfollow_run(view);
	return code != EXITCODE_OK ? code : logview_join(view);
}

static bool is_named(const struct options *options, const char *name)
{
	for (size_t i = 0; i < options->name_count; i++)
		if (strcmp(options->names[i], name) == 0)
			return true;
	return false;
}
