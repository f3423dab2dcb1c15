/* SPDX-License-Identifier: ISC */
/*
 * valuestdio.c: where a stream of a program comes from or goes to, see valuetype.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/limits.h"
#include "supervisord/engine/valuetype.h"

enum target { TARGET_NONE, TARGET_PATH, TARGET_NAME };

#define ON_STDIN  1u
#define ON_STDOUT 2u
#define ON_STDERR 4u

struct form {
	const char *text; /* one with a target ends in ':' */
	enum stdio_kind kind;
	enum target target;
	unsigned streams;
};

static const struct form forms[] = {
    {"null", STDIO_NULL, TARGET_NONE, ON_STDIN | ON_STDOUT | ON_STDERR},
    {"inherit", STDIO_INHERIT, TARGET_NONE, ON_STDOUT | ON_STDERR},
    {"log", STDIO_LOG, TARGET_NONE, ON_STDOUT | ON_STDERR},
    {"stdout", STDIO_STDOUT, TARGET_NONE, ON_STDERR},
    {"file:", STDIO_FILE, TARGET_PATH, ON_STDIN},
    {"append:", STDIO_APPEND, TARGET_PATH, ON_STDOUT | ON_STDERR},
    {"fifo:", STDIO_FIFO, TARGET_PATH, ON_STDOUT | ON_STDERR},
    {"program:", STDIO_PROGRAM, TARGET_NAME, ON_STDOUT | ON_STDERR},
};

static int check_target(const struct value_input *input, const struct form *form,
    const char *target, char **ret_problem);

static int parse_stdio(
    const struct value_input *input, void *ret_value, char **ret_problem, unsigned stream)
{
	const char *text = input->items[0];
	struct stdio stdio = {0};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		const struct form *form = &forms[i];
		size_t length = strlen(form->text);
		int error;

		if ((form->streams & stream) == 0 || strncmp(text, form->text, length) != 0)
			continue;
		if (form->target == TARGET_NONE && text[length] != '\0')
			continue;
		stdio.kind = form->kind;
		if (form->target != TARGET_NONE) {
			error = check_target(input, form, text + length, ret_problem);
			if (error < 0)
				return error;
			stdio.target = strdup(text + length);
			if (stdio.target == NULL)
				return -ENOMEM;
		}
		*(struct stdio *)ret_value = stdio;
		return 0;
	}
	return value_problem(input, text, "is not known", ret_problem);
}

static int check_target(const struct value_input *input, const struct form *form,
    const char *target, char **ret_problem)
{
	char quoted[CONFREPORT_QUOTE];
	const char *rule;
	size_t length = strlen(target);

	if (form->target == TARGET_NAME) {
		rule = value_check_name(target);
		if (rule != NULL)
			return value_sentence(ret_problem, "the program name '%s' %s",
			    confreport_quote(target, quoted), rule);
		return 0;
	}
	if (length == 0 || target[length - 1] == '/')
		return value_problem(input, input->items[0], "names no file", ret_problem);
	if (length >= LIMIT_CONFIG_WORD)
		return value_problem(input, input->items[0], "is too long", ret_problem);
	return value_check_expand(target, ret_problem);
}

static int parse_stdin(const struct value_input *input, void *ret_value, char **ret_problem)
{
	return parse_stdio(input, ret_value, ret_problem, ON_STDIN);
}

static int parse_stdout(const struct value_input *input, void *ret_value, char **ret_problem)
{
	return parse_stdio(input, ret_value, ret_problem, ON_STDOUT);
}

static int parse_stderr(const struct value_input *input, void *ret_value, char **ret_problem)
{
	return parse_stdio(input, ret_value, ret_problem, ON_STDERR);
}

static void done_stdio(void *value, const void *shared)
{
	char *target = ((struct stdio *)value)->target;

	if (shared == NULL || target != ((const struct stdio *)shared)->target)
		free(target);
}

static void write_stdio(const void *value, FILE *file)
{
	const struct stdio *stdio = value;
	size_t i = 0;

	while (forms[i].kind != stdio->kind)
		i++;
	value_write_text(forms[i].text, stdio->target != NULL ? stdio->target : "", file);
}

static const char *allowed_stdin(const struct key_row *row, char buffer[VALUE_ALLOWED])
{
	(void)row;
	snprintf(buffer, VALUE_ALLOWED, "null or file:PATH");
	return buffer;
}

static const char *allowed_stdout(const struct key_row *row, char buffer[VALUE_ALLOWED])
{
	(void)row;
	snprintf(
	    buffer, VALUE_ALLOWED, "null, inherit, log, append:PATH, fifo:PATH or program:NAME");
	return buffer;
}

static const char *allowed_stderr(const struct key_row *row, char buffer[VALUE_ALLOWED])
{
	(void)row;
	snprintf(buffer, VALUE_ALLOWED,
	    "stdout, null, inherit, log, append:PATH, fifo:PATH or program:NAME");
	return buffer;
}

const struct value_type value_stdin = {parse_stdin, done_stdio, write_stdio, allowed_stdin};
const struct value_type value_stdout = {parse_stdout, done_stdio, write_stdio, allowed_stdout};
const struct value_type value_stderr = {parse_stderr, done_stdio, write_stdio, allowed_stderr};
