/* SPDX-License-Identifier: ISC */
/*
 * valuelife.c: the types of what is to be done to a program: steps of a stop, what follows a
 * failure or bad health, see valuetype.h.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/signame.h"
#include "lib/units.h"
#include "supervisord/engine/valuetype.h"

#define SIGNAL_TEXT   16
#define DURATION_TEXT 48

/* Of a step of a stop, and of a last one that says nothing. */
#define WAIT_LEAST (10 * NS_PER_MS)
#define WAIT_MOST  (24 * 3600 * NS_PER_S)
#define WAIT_LAST  NS_PER_S

/* Of retry: so that a start limit means something, and no number overflows. */
#define RETRY_LEAST (10 * NS_PER_MS)
#define RETRY_MOST  (365 * 24 * 3600 * NS_PER_S)

static int parse_step(
    const struct value_input *input, size_t index, struct stop_step *ret_step, char **ret_problem);
static int parse_within(const char *text, int64_t least, int64_t most, int64_t *ret_ns);
static int parse_retry(const struct value_input *input, const char *target,
    struct on_failure *ret_value, char **ret_problem);
static int parse_start(const char *name, struct on_failure *ret_value, char **ret_problem);

/* In place of a signal. */
static const char nothing[] = "none";

/* ---- steps ----------------------------------------------------------------------------------- */

static int parse_steps(const struct value_input *input, void *ret_value, char **ret_problem)
{
	struct stop_sequence sequence = {0};

	if (input->count > LIMIT_STOP_STEPS)
		return value_sentence(ret_problem, "%zu steps: at most %d are allowed",
		    input->count, LIMIT_STOP_STEPS);
	for (; sequence.count < input->count; sequence.count++) {
		int error =
		    parse_step(input, sequence.count, &sequence.steps[sequence.count], ret_problem);

		if (error < 0)
			return error;
	}
	*(struct stop_sequence *)ret_value = sequence;
	return 0;
}

/* "TERM:10s", "none:5min", "KILL" */
static int parse_step(
    const struct value_input *input, size_t index, struct stop_step *ret_step, char **ret_problem)
{
	const char *text = input->items[index], *colon = strchr(text, ':');
	bool last = index + 1 == input->count;
	char quoted[CONFREPORT_QUOTE], *name;

	name = strndup(text, colon != NULL ? (size_t)(colon - text) : strlen(text));
	if (name == NULL)
		return -ENOMEM;
	ret_step->signal = strcmp(name, nothing) == 0 ? STOP_NOTHING : signame_parse(name);
	free(name);
	if (ret_step->signal < 0 && ret_step->signal != STOP_NOTHING)
		return value_problem(input, text, "begins with no signal", ret_problem);
	confreport_quote(text, quoted);
	if (ret_step->signal == SIGKILL && !last)
		return value_sentence(ret_problem,
		    "'%s' leaves nothing for the steps after it: KILL is the last one", quoted);
	ret_step->wait_ns = WAIT_LAST;
	if (colon == NULL && ret_step->signal != SIGKILL)
		return value_sentence(ret_problem,
		    "'%s' has no time to wait: a step such as %s:10s is allowed, only KILL needs "
		    "no time",
		    quoted, quoted);
	if (colon != NULL && parse_within(colon + 1, WAIT_LEAST, WAIT_MOST, &ret_step->wait_ns) < 0)
		return value_sentence(ret_problem,
		    "'%s' has no good time to wait: a duration from 10ms to 1d is allowed behind "
		    "the colon",
		    quoted);
	return 0;
}

static int parse_within(const char *text, int64_t least, int64_t most, int64_t *ret_ns)
{
	int64_t ns;
	int error;

	error = units_parse_duration(text, &ns);
	if (error == 0 && (ns < least || ns > most))
		error = -ERANGE;
	if (error == 0)
		*ret_ns = ns;
	return error;
}

static void write_steps(const void *value, FILE *file)
{
	const struct stop_sequence *sequence = value;
	char name[SIGNAL_TEXT], wait[DURATION_TEXT];

	putc('{', file);
	for (uint32_t i = 0; i < sequence->count; i++)
		fprintf(file, "%s\"%s:%s\"", i == 0 ? "" : ", ",
		    sequence->steps[i].signal == STOP_NOTHING
			? nothing
			: signame_format(sequence->steps[i].signal, name, sizeof(name)),
		    units_format_duration(sequence->steps[i].wait_ns, wait, sizeof(wait)));
	putc('}', file);
}

static const char *allowed_steps(const struct key_row *row, char buffer[VALUE_ALLOWED])
{
	snprintf(buffer, VALUE_ALLOWED,
	    "a list of up to %d steps SIGNAL:DURATION such as {\"TERM:10s\", \"INT:5s\", \"KILL\"}",
	    (int)row->maximum);
	return buffer;
}

/* ---- on_failure ------------------------------------------------------------------------------ */

/* clang-format off */
static const char *const failure_forms[] = {
	[ON_FAILURE_NONE] = "none", [ON_FAILURE_RETRY] = "retry:", [ON_FAILURE_SHUTDOWN] = "shutdown",
	[ON_FAILURE_REBOOT] = "reboot", [ON_FAILURE_START] = "start:", [ON_FAILURE_EXEC] = "exec:",
};
/* clang-format on */
#define FAILURE_FORM_COUNT (sizeof(failure_forms) / sizeof(failure_forms[0]))

static bool has_target(const char *form)
{
	return form[strlen(form) - 1] == ':';
}

static int parse_on_failure(const struct value_input *input, void *ret_value, char **ret_problem)
{
	const char *text = input->count > 0 ? input->items[0] : "{}", *target = NULL;
	struct on_failure value = {0};
	size_t kind;
	int error = 0;

	for (kind = 0; kind < FAILURE_FORM_COUNT && target == NULL; kind++)
		if (has_target(failure_forms[kind])
			? strncmp(text, failure_forms[kind], strlen(failure_forms[kind])) == 0
			: strcmp(text, failure_forms[kind]) == 0)
			target = text + strlen(failure_forms[kind]);
	if (target == NULL)
		return value_problem(input, text, "is not known", ret_problem);
	value.kind = (enum on_failure_kind)(kind - 1);
	if (input->list && value.kind != ON_FAILURE_EXEC)
		return value_sentence(
		    ret_problem, "is a list: only one that begins with \"exec:\" is allowed");
	switch (value.kind) {
	case ON_FAILURE_NONE:
	case ON_FAILURE_SHUTDOWN:
	case ON_FAILURE_REBOOT:
		break;
	case ON_FAILURE_RETRY:
		error = parse_retry(input, target, &value, ret_problem);
		break;
	case ON_FAILURE_START:
		error = parse_start(target, &value, ret_problem);
		break;
	case ON_FAILURE_EXEC:
		error = value_parse_exec(input, target, &value.words, ret_problem);
		break;
	}
	if (error == 0)
		*(struct on_failure *)ret_value = value;
	return error;
}

static int parse_retry(const struct value_input *input, const char *target,
    struct on_failure *ret_value, char **ret_problem)
{
	char quoted[CONFREPORT_QUOTE];

	if (parse_within(target, RETRY_LEAST, RETRY_MOST, &ret_value->delay_ns) == 0)
		return 0;
	return value_sentence(ret_problem,
	    "'%s' has no good time to wait: retry: with a duration from 10ms to 365d is allowed",
	    confreport_quote(input->items[0], quoted));
}

static int parse_start(const char *name, struct on_failure *ret_value, char **ret_problem)
{
	char quoted[CONFREPORT_QUOTE];
	const char *rule = value_check_instance(name);

	if (rule != NULL)
		return value_sentence(
		    ret_problem, "the program name '%s' %s", confreport_quote(name, quoted), rule);
	ret_value->name = strdup(name);
	return ret_value->name == NULL ? -ENOMEM : 0;
}

static void done_on_failure(void *value, const void *shared)
{
	const struct on_failure *mine = value, *other = shared;

	if (other == NULL || mine->name != other->name)
		free(mine->name);
	if (other == NULL || mine->words != other->words)
		free(mine->words);
}

static void write_on_failure(const void *value, FILE *file)
{
	const struct on_failure *mine = value;
	char delay[DURATION_TEXT] = "";

	if (mine->kind == ON_FAILURE_EXEC) {
		value_write_words(failure_forms[mine->kind], mine->words, file);
		return;
	}
	if (mine->kind == ON_FAILURE_RETRY)
		units_format_duration(mine->delay_ns, delay, sizeof(delay));
	value_write_text(failure_forms[mine->kind], mine->name != NULL ? mine->name : delay, file);
}

static const char *allowed_on_failure(const struct key_row *row, char buffer[VALUE_ALLOWED])
{
	(void)row;
	snprintf(buffer, VALUE_ALLOWED,
	    "none, retry:DURATION, shutdown, reboot, start:NAME or exec:COMMAND");
	return buffer;
}

/* ---- on_failure of a health check ------------------------------------------------------------ */

static int parse_health_action(const struct value_input *input, void *ret_value, char **ret_problem)
{
	static const char signal[] = "signal:";
	const char *text = input->items[0];
	struct health_action action = {0};

	if (strcmp(text, "restart") == 0) {
		action.kind = HEALTH_RESTART;
	} else if (strcmp(text, "none") == 0) {
		action.kind = HEALTH_NOTHING;
	} else if (strncmp(text, signal, strlen(signal)) == 0) {
		action.kind = HEALTH_SIGNAL;
		action.signal = signame_parse(text + strlen(signal));
		if (action.signal < 0)
			return value_problem(input, text, "names no signal", ret_problem);
	} else {
		return value_problem(input, text, "is not known", ret_problem);
	}
	*(struct health_action *)ret_value = action;
	return 0;
}

static void write_health_action(const void *value, FILE *file)
{
	const struct health_action *action = value;
	char name[SIGNAL_TEXT];

	switch (action->kind) {
	case HEALTH_RESTART:
		fputs("restart", file);
		break;
	case HEALTH_SIGNAL:
		fprintf(file, "\"signal:%s\"", signame_format(action->signal, name, sizeof(name)));
		break;
	case HEALTH_NOTHING:
		fputs("none", file);
		break;
	}
}

static const char *allowed_health_action(const struct key_row *row, char buffer[VALUE_ALLOWED])
{
	(void)row;
	snprintf(buffer, VALUE_ALLOWED, "restart, signal:NAME or none");
	return buffer;
}

const struct value_type value_steps = {parse_steps, NULL, write_steps, allowed_steps};
const struct value_type value_on_failure = {
    parse_on_failure, done_on_failure, write_on_failure, allowed_on_failure};
const struct value_type value_health_action = {
    parse_health_action, NULL, write_health_action, allowed_health_action};
