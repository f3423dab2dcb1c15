/* SPDX-License-Identifier: ISC */
/*
 * valuelist.c: the types that are lists of strings, see valuetype.h.  A list is one allocation,
 * NULL when empty.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/limits.h"
#include "supervisord/engine/depend.h"
#include "supervisord/engine/rights.h"
#include "supervisord/engine/socketaddress.h"
#include "supervisord/engine/eventmatch.h"
#include "supervisord/engine/valuetype.h"
#include "supervisord/engine/words.h"

/* What ends the name in NAME=VALUE and NAME:CONDITION; no name has either. */
#define NAME_END "=:"

static int compare_names(const void *a, const void *b)
{
	const char *x = *(const char *const *)a, *y = *(const char *const *)b;
	size_t m = strcspn(x, NAME_END), n = strcspn(y, NAME_END);
	int order = memcmp(x, y, m < n ? m : n);

	return order != 0 ? order : (m > n) - (m < n);
}

/* A name that stands twice, in *ret_twice, or NULL.  Returns 0 or -ENOMEM. */
static int find_twice(const struct value_input *input, const char **ret_twice)
{
	const char **sorted;

	*ret_twice = NULL;
	if (input->count < 2)
		return 0;
	sorted = malloc(input->count * sizeof(*sorted));
	if (sorted == NULL)
		return -ENOMEM;
	memcpy(sorted, input->items, input->count * sizeof(*sorted));
	qsort(sorted, input->count, sizeof(*sorted), compare_names);
	for (size_t i = 1; i < input->count && *ret_twice == NULL; i++)
		if (compare_names(&sorted[i - 1], &sorted[i]) == 0)
			*ret_twice = sorted[i];
	free(sorted);
	return 0;
}

static int check_count(const struct value_input *input, size_t limit, char **ret_problem)
{
	if (input->count <= limit)
		return 0;
	return value_sentence(
	    ret_problem, "%zu values: at most %zu are allowed", input->count, limit);
}

static int refuse_twice(const struct value_input *input, char **ret_problem)
{
	char quoted[CONFREPORT_QUOTE], *name;
	const char *twice;
	int error;

	error = find_twice(input, &twice);
	if (error < 0 || twice == NULL)
		return error;
	name = strndup(twice, strcspn(twice, NAME_END));
	if (name == NULL)
		return -ENOMEM;
	error = value_sentence(ret_problem, "'%s' is given twice", confreport_quote(name, quoted));
	free(name);
	return error;
}

static int keep_list(const struct value_input *input, void *ret_value)
{
	string_list list;

	if (input->count == 0)
		return 0;
	list = words_copy(input->items, input->count);
	if (list == NULL)
		return -ENOMEM;
	*(string_list *)ret_value = list;
	return 0;
}

/* ---- command -------------------------------------------------------------------------------- */

static int split_command(const char *text, string_list *ret_argv, char **ret_problem)
{
	const char *problem;
	int error;

	error = words_split(text, LIMIT_ARGV, ret_argv, &problem);
	if (error == -EINVAL)
		return value_sentence(ret_problem,
		    "%s in the command: put a \\ before it (in \"...\" of this file: \\\\) to take "
		    "it literally",
		    problem);
	if (error == -E2BIG)
		return value_sentence(
		    ret_problem, "too many words: at most %d are allowed", LIMIT_ARGV);
	return error;
}

static int make_argv(const struct value_input *input, string_list *ret_argv, char **ret_problem)
{
	const char *shell[] = {"/bin/sh", "-c", input->count > 0 ? input->items[0] : NULL};

	if (input->shell && input->list)
		return value_sentence(
		    ret_problem, "a list with shell = true: one string is allowed");
	if (input->shell) {
		if (shell[2] == NULL || shell[2][strspn(shell[2], " \t\r\n")] == '\0')
			return value_sentence(ret_problem, "is empty: a command line is needed");
		*ret_argv = words_copy(shell, 3);
		return *ret_argv == NULL ? -ENOMEM : 0;
	}
	if (!input->list)
		return split_command(input->items[0], ret_argv, ret_problem);
	*ret_argv = words_copy(input->items, input->count);
	return *ret_argv == NULL ? -ENOMEM : 0;
}

/* Takes `argv`, which is given on or freed. */
static int give_argv(string_list argv, string_list *ret_argv, char **ret_problem)
{
	int error = 0;

	if (argv == NULL || argv[0] == NULL || argv[0][0] == '\0')
		error = value_sentence(ret_problem, "is empty: a program to run is needed");
	for (size_t i = 0; error == 0 && argv != NULL && argv[i] != NULL; i++)
		error = value_check_expand(argv[i], ret_problem);
	if (error < 0) {
		free(argv);
		return error;
	}
	*ret_argv = argv;
	return 0;
}

static int parse_command(const struct value_input *input, void *ret_value, char **ret_problem)
{
	string_list argv = NULL;
	int error;

	/* A hook that the defaults have is taken back by {}. */
	if (input->row->part == PART_LIFE && input->list && input->count == 0)
		return 0;
	error = check_count(input, LIMIT_ARGV, ret_problem);
	if (error == 0)
		error = make_argv(input, &argv, ret_problem);
	return error < 0 ? error : give_argv(argv, ret_value, ret_problem);
}

int value_parse_exec(
    const struct value_input *input, const char *first, string_list *ret_argv, char **ret_problem)
{
	string_list argv = NULL;
	const char **items;
	int error;

	error = check_count(input, LIMIT_ARGV, ret_problem);
	if (error == 0 && !input->list)
		error = split_command(first, &argv, ret_problem);
	if (error < 0)
		return error;
	if (input->list) {
		items = malloc(input->count * sizeof(*items));
		if (items == NULL)
			return -ENOMEM;
		memcpy(items, input->items, input->count * sizeof(*items));
		items[0] = first;
		argv = words_copy(items, input->count);
		free(items);
		if (argv == NULL)
			return -ENOMEM;
	}
	return give_argv(argv, ret_argv, ret_problem);
}

/* ---- the others ----------------------------------------------------------------------------- */

static int check_entry(const char *entry, char **ret_problem)
{
	static const char letters[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
	char quoted[CONFREPORT_QUOTE];
	size_t length = strspn(entry, letters);

	if (length == 0 || entry[length] != '=' || (entry[0] >= '0' && entry[0] <= '9'))
		return value_sentence(ret_problem,
		    "'%s' is not NAME=VALUE with a NAME of letters, digits and '_' that begins "
		    "with no digit",
		    confreport_quote(entry, quoted));
	return value_check_expand(entry, ret_problem);
}

static int parse_environment(const struct value_input *input, void *ret_value, char **ret_problem)
{
	int error;

	error = check_count(input, (size_t)input->row->maximum, ret_problem);
	for (size_t i = 0; error == 0 && i < input->count; i++)
		error = check_entry(input->items[i], ret_problem);
	if (error == 0)
		error = refuse_twice(input, ret_problem);
	return error < 0 ? error : keep_list(input, ret_value);
}

static int check_name(const char *name, char **ret_problem)
{
	char quoted[CONFREPORT_QUOTE];
	const char *rule = value_check_instance(name);

	if (rule == NULL)
		return 0;
	return value_sentence(
	    ret_problem, "the program name '%s' %s", confreport_quote(name, quoted), rule);
}

static int parse_names(const struct value_input *input, void *ret_value, char **ret_problem)
{
	int error;

	error = check_count(input, (size_t)input->row->maximum, ret_problem);
	for (size_t i = 0; error == 0 && i < input->count; i++)
		error = check_name(input->items[i], ret_problem);
	if (error == 0)
		error = refuse_twice(input, ret_problem);
	return error < 0 ? error : keep_list(input, ret_value);
}

/* NAME or NAME:CONDITION */
static int check_depend(const char *text, char **ret_problem)
{
	char quoted[CONFREPORT_QUOTE], *name;
	enum depend_condition condition;
	size_t length;
	int error;

	if (depend_parse(text, &length, &condition) < 0)
		return value_sentence(ret_problem,
		    "'%s' has no known condition: NAME, NAME:started, NAME:ready, NAME:healthy or "
		    "NAME:completed is allowed",
		    confreport_quote(text, quoted));
	name = strndup(text, length);
	if (name == NULL)
		return -ENOMEM;
	error = check_name(name, ret_problem);
	free(name);
	return error;
}

static int parse_depends(const struct value_input *input, void *ret_value, char **ret_problem)
{
	int error;

	error = check_count(input, (size_t)input->row->maximum, ret_problem);
	for (size_t i = 0; error == 0 && i < input->count; i++)
		error = check_depend(input->items[i], ret_problem);
	if (error == 0)
		error = refuse_twice(input, ret_problem);
	return error < 0 ? error : keep_list(input, ret_value);
}

static int parse_sockets(const struct value_input *input, void *ret_value, char **ret_problem)
{
	char quoted[CONFREPORT_QUOTE];
	int error;

	error = check_count(input, (size_t)input->row->maximum, ret_problem);
	for (size_t i = 0; error == 0 && i < input->count; i++) {
		const char *rule = value_check_name(input->items[i]);

		if (rule != NULL)
			error = value_sentence(ret_problem, "the socket name '%s' %s",
			    confreport_quote(input->items[i], quoted), rule);
	}
	if (error == 0)
		error = refuse_twice(input, ret_problem);
	return error < 0 ? error : keep_list(input, ret_value);
}

static int parse_listen(const struct value_input *input, void *ret_value, char **ret_problem)
{
	struct socket_address address;
	const char *problem;
	int error;

	error = check_count(input, (size_t)input->row->maximum, ret_problem);
	for (size_t i = 0; error == 0 && i < input->count; i++)
		if (socketaddress_parse(input->items[i], &address, &problem) < 0)
			error = value_problem(input, input->items[i], problem, ret_problem);
	return error < 0 ? error : keep_list(input, ret_value);
}

static int parse_patterns(const struct value_input *input, void *ret_value, char **ret_problem)
{
	int error;

	error = check_count(input, (size_t)input->row->maximum, ret_problem);
	for (size_t i = 0; error == 0 && i < input->count; i++)
		if (input->items[i][0] == '\0')
			error = value_problem(input, "", "is empty", ret_problem);
	return error < 0 ? error : keep_list(input, ret_value);
}

static int parse_events(const struct value_input *input, void *ret_value, char **ret_problem)
{
	int error;

	error = check_count(input, (size_t)input->row->maximum, ret_problem);
	for (size_t i = 0; error == 0 && i < input->count; i++) {
		const char *problem = eventmatch_problem(input->items[i]);

		if (problem != NULL)
			error = value_problem(input, input->items[i], problem, ret_problem);
	}
	return error < 0 ? error : keep_list(input, ret_value);
}

/* What the users and groups are called here is looked up later (confcontrol.c). */
static int parse_allow(const struct value_input *input, void *ret_value, char **ret_problem)
{
	int error;

	error = check_count(input, (size_t)input->row->maximum, ret_problem);
	for (size_t i = 0; error == 0 && i < input->count; i++) {
		struct right_rule rule = {0};
		char quoted[CONFREPORT_QUOTE], *why = NULL;

		error = rights_parse(input->items[i], &rule, &why);
		rights_done_rule(&rule);
		if (error == -EINVAL)
			error = value_sentence(
			    ret_problem, "'%s' %s", confreport_quote(input->items[i], quoted), why);
		free(why);
	}
	return error < 0 ? error : keep_list(input, ret_value);
}

/* "none" is for a program that does without the filter of the defaults. */
static int parse_log_filter(const struct value_input *input, void *ret_value, char **ret_problem)
{
	static const char exec[] = "exec:";
	const char *text = input->items[0];

	if (!input->list && strcmp(text, "none") == 0) {
		*(string_list *)ret_value = NULL;
		return 0;
	}
	if (strncmp(text, exec, strlen(exec)) != 0)
		return value_problem(input, text, "is not known", ret_problem);
	return value_parse_exec(input, text + strlen(exec), ret_value, ret_problem);
}

static void done_list(void *value, const void *shared)
{
	string_list list = *(string_list *)value;

	if (shared == NULL || list != *(const string_list *)shared)
		free(list);
}

void value_write_words(const char *prefix, const string_list words, FILE *file)
{
	putc('{', file);
	for (size_t i = 0; words[i] != NULL; i++) {
		if (i > 0)
			fputs(", ", file);
		value_write_text(i == 0 ? prefix : "", words[i], file);
	}
	putc('}', file);
}

static void write_list(const void *value, FILE *file)
{
	const string_list list = *(const string_list *)value;

	if (list != NULL)
		value_write_words("", list, file);
}

static void write_log_filter(const void *value, FILE *file)
{
	const string_list words = *(const string_list *)value;

	if (words != NULL)
		value_write_words("exec:", words, file);
	else
		fputs("none", file);
}

static const char *allowed_log_filter(const struct key_row *row, char buffer[VALUE_ALLOWED])
{
	(void)row;
	snprintf(buffer, VALUE_ALLOWED, "none or exec:COMMAND");
	return buffer;
}

static const char *allowed_command(const struct key_row *row, char buffer[VALUE_ALLOWED])
{
	(void)row;
	snprintf(buffer, VALUE_ALLOWED, "a string, or a list of strings");
	return buffer;
}

static const char *allowed_environment(const struct key_row *row, char buffer[VALUE_ALLOWED])
{
	(void)row;
	snprintf(buffer, VALUE_ALLOWED, "a list such as {\"NAME=VALUE\", \"OTHER=VALUE\"}");
	return buffer;
}

static const char *allowed_names(const struct key_row *row, char buffer[VALUE_ALLOWED])
{
	(void)row;
	snprintf(
	    buffer, VALUE_ALLOWED, "a list of programs and groups such as {\"db\", \"cache\"}");
	return buffer;
}

static const char *allowed_sockets(const struct key_row *row, char buffer[VALUE_ALLOWED])
{
	(void)row;
	snprintf(buffer, VALUE_ALLOWED, "a list of sockets such as {\"http\", \"https\"}");
	return buffer;
}

static const char *allowed_listen(const struct key_row *row, char buffer[VALUE_ALLOWED])
{
	(void)row;
	snprintf(buffer, VALUE_ALLOWED,
	    "tcp:PORT, tcp:HOST:PORT, udp:PORT, udp:HOST:PORT, unix:PATH, unix-dgram:PATH, "
	    "unix-seqpacket:PATH or fifo:PATH (HOST a number, IPv6 in brackets)");
	return buffer;
}

static const char *allowed_depends(const struct key_row *row, char buffer[VALUE_ALLOWED])
{
	(void)row;
	snprintf(buffer, VALUE_ALLOWED,
	    "a list of programs and groups, also with a condition (started, ready, healthy, "
	    "completed), such as {\"db\", \"cache:started\"}");
	return buffer;
}

static const char *allowed_patterns(const struct key_row *row, char buffer[VALUE_ALLOWED])
{
	(void)row;
	snprintf(buffer, VALUE_ALLOWED, "a list of patterns such as {\"conf.d/*.conf\"}");
	return buffer;
}

static const char *allowed_events(const struct key_row *row, char buffer[VALUE_ALLOWED])
{
	(void)row;
	snprintf(buffer, VALUE_ALLOWED,
	    "a list of terms such as {\"state:FATAL\", \"exit:failure\", \"program:web*\"}");
	return buffer;
}

static const char *allowed_allow(const struct key_row *row, char buffer[VALUE_ALLOWED])
{
	(void)row;
	snprintf(buffer, VALUE_ALLOWED,
	    "a list of rules such as {\"user:alice status,logs *\", \"group:deploy restart "
	    "web*\"}");
	return buffer;
}

const struct value_type value_command = {parse_command, done_list, write_list, allowed_command};
const struct value_type value_environment = {
    parse_environment, done_list, write_list, allowed_environment};
const struct value_type value_names = {parse_names, done_list, write_list, allowed_names};
const struct value_type value_depends = {parse_depends, done_list, write_list, allowed_depends};
const struct value_type value_patterns = {parse_patterns, done_list, write_list, allowed_patterns};
const struct value_type value_events = {parse_events, done_list, write_list, allowed_events};
const struct value_type value_sockets = {parse_sockets, done_list, write_list, allowed_sockets};
const struct value_type value_listen = {parse_listen, done_list, write_list, allowed_listen};
const struct value_type value_log_filter = {
    parse_log_filter, done_list, write_log_filter, allowed_log_filter};
const struct value_type value_allow = {parse_allow, done_list, write_list, allowed_allow};
