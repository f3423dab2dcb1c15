/* SPDX-License-Identifier: ISC */
/*
 * valuestdio.c: where a stream of a program comes from or goes to, see valuetype.h.
 *
 * One word, or a list of places that the logger writes to.  "log", "inherit" and "program:NAME"
 * alone need no list; syslog and journal are always the logger's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/limits.h"
#include "supervisord/engine/checktarget.h"
#include "supervisord/engine/valuetype.h"
#include "supervisord/engine/words.h"

#define LOGGED                                                                                     \
	"log, syslog, syslog://HOST:PORT, syslog+tcp://HOST:PORT, journal, inherit, program:NAME"

enum target { TARGET_NONE, TARGET_PATH, TARGET_NAME, TARGET_ADDRESS };

#define ON_STDIN  1u
#define ON_STDOUT 2u
#define ON_STDERR 4u

struct form {
	const char *text; /* one with a target ends in ':' */
	enum stdio_kind kind;
	enum target target;
	unsigned streams;
	bool by_logger; /* may be one of several */
};

static const struct form forms[] = {
    {"null", STDIO_NULL, TARGET_NONE, ON_STDIN | ON_STDOUT | ON_STDERR, false},
    {"inherit", STDIO_INHERIT, TARGET_NONE, ON_STDOUT | ON_STDERR, true},
    {"log", STDIO_LOG, TARGET_NONE, ON_STDOUT | ON_STDERR, true},
    {"stdout", STDIO_STDOUT, TARGET_NONE, ON_STDERR, false},
    {"pipe", STDIO_PIPE, TARGET_NONE, ON_STDIN, false},
    {"file:", STDIO_FILE, TARGET_PATH, ON_STDIN, false},
    {"append:", STDIO_APPEND, TARGET_PATH, ON_STDOUT | ON_STDERR, false},
    {"fifo:", STDIO_FIFO, TARGET_PATH, ON_STDOUT | ON_STDERR, false},
    {"program:", STDIO_PROGRAM, TARGET_NAME, ON_STDOUT | ON_STDERR, true},
    {"syslog", STDIO_LOG, TARGET_NONE, ON_STDOUT | ON_STDERR, true},
    {"journal", STDIO_LOG, TARGET_NONE, ON_STDOUT | ON_STDERR, true},
    {"syslog://", STDIO_LOG, TARGET_ADDRESS, ON_STDOUT | ON_STDERR, true},
    {"syslog+tcp://", STDIO_LOG, TARGET_ADDRESS, ON_STDOUT | ON_STDERR, true},
};

static int check_target(
    const struct value_input *input, const struct form *form, const char *text, char **ret_problem);

static const struct form *find_form(const char *text, unsigned stream);
static int parse_several(
    const struct value_input *input, struct stdio *stdio, char **ret_problem, unsigned stream);

static int parse_stdio(
    const struct value_input *input, void *ret_value, char **ret_problem, unsigned stream)
{
	const char *text = input->count > 0 ? input->items[0] : "";
	const struct form *form = find_form(text, stream);
	struct stdio stdio = {0};
	size_t length;
	int error;

	if (input->count > 1)
		return parse_several(input, ret_value, ret_problem, stream);
	if (form == NULL)
		return value_problem(input, text, "is not known", ret_problem);
	length = strlen(form->text);
	stdio.kind = form->kind;
	if (form->target != TARGET_NONE) {
		error = check_target(input, form, text, ret_problem);
		if (error < 0)
			return error;
	}
	if (form->kind == STDIO_LOG && strcmp(text, "log") != 0) {
		stdio.targets = words_copy(input->items, 1);
		if (stdio.targets == NULL)
			return -ENOMEM;
	} else if (form->target != TARGET_NONE) {
		stdio.target = strdup(text + length);
		if (stdio.target == NULL)
			return -ENOMEM;
	}
	*(struct stdio *)ret_value = stdio;
	return 0;
}

static const struct form *find_form(const char *text, unsigned stream)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		size_t length = strlen(forms[i].text);

		if ((forms[i].streams & stream) == 0 || strncmp(text, forms[i].text, length) != 0)
			continue;
		if (forms[i].target != TARGET_NONE || text[length] == '\0')
			return &forms[i];
	}
	return NULL;
}

static int parse_several(
    const struct value_input *input, struct stdio *stdio, char **ret_problem, unsigned stream)
{
	char quoted[CONFREPORT_QUOTE];

	if (input->count > LIMIT_LOG_TARGETS)
		return value_sentence(ret_problem, "%zu values: at most %d are allowed",
		    input->count, LIMIT_LOG_TARGETS);
	for (size_t i = 0; i < input->count; i++) {
		const char *text = input->items[i];
		const struct form *form = find_form(text, stream);
		int error = 0;

		if (form == NULL)
			return value_problem(input, text, "is not known", ret_problem);
		if (!form->by_logger)
			return value_sentence(ret_problem,
			    "'%s' stands alone: log, syslog, syslog://HOST:PORT, "
			    "syslog+tcp://HOST:PORT, journal, inherit and program:NAME are "
			    "allowed together",
			    confreport_quote(text, quoted));
		for (size_t k = 0; k < i; k++)
			if (strcmp(input->items[k], text) == 0)
				return value_sentence(ret_problem, "'%s' is given twice",
				    confreport_quote(text, quoted));
		if (form->target != TARGET_NONE)
			error = check_target(input, form, text, ret_problem);
		if (error < 0)
			return error;
	}
	stdio->kind = STDIO_LOG;
	stdio->targets = words_copy(input->items, input->count);
	return stdio->targets == NULL ? -ENOMEM : 0;
}

static int check_target(
    const struct value_input *input, const struct form *form, const char *text, char **ret_problem)
{
	char quoted[CONFREPORT_QUOTE];
	const char *rule, *target = text + strlen(form->text);
	size_t length = strlen(target);

	if (form->target == TARGET_NAME) {
		rule = value_check_instance(target);
		if (rule != NULL)
			return value_sentence(ret_problem, "the program name '%s' %s",
			    confreport_quote(target, quoted), rule);
		return 0;
	}
	if (form->target == TARGET_ADDRESS) {
		struct sockaddr_storage address;
		unsigned size;

		if (checktarget_parse_tcp(target, &address, &size) < 0)
			return value_problem(input, text,
			    "has no address of a number (or localhost) and a port", ret_problem);
		return 0;
	}
	if (length == 0 || target[length - 1] == '/')
		return value_problem(input, text, "names no file", ret_problem);
	if (length >= LIMIT_CONFIG_WORD)
		return value_problem(input, text, "is too long", ret_problem);
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
	const struct stdio *stdio = value, *base = shared;

	if (base == NULL || stdio->target != base->target)
		free(stdio->target);
	if (base == NULL || stdio->targets != base->targets)
		free(stdio->targets);
}

static void write_stdio(const void *value, FILE *file)
{
	const struct stdio *stdio = value;
	size_t i = 0;

	if (stdio->targets != NULL) {
		value_write_words("", stdio->targets, file);
		return;
	}
	while (forms[i].kind != stdio->kind)
		i++;
	value_write_text(forms[i].text, stdio->target != NULL ? stdio->target : "", file);
}

static const char *allowed_stdin(const struct key_row *row, char buffer[VALUE_ALLOWED])
{
	(void)row;
	snprintf(buffer, VALUE_ALLOWED, "null, pipe or file:PATH");
	return buffer;
}

static const char *allowed_stdout(const struct key_row *row, char buffer[VALUE_ALLOWED])
{
	(void)row;
	snprintf(
	    buffer, VALUE_ALLOWED, "null, append:PATH, fifo:PATH, or one or a list of " LOGGED);
	return buffer;
}

static const char *allowed_stderr(const struct key_row *row, char buffer[VALUE_ALLOWED])
{
	(void)row;
	snprintf(buffer, VALUE_ALLOWED,
	    "stdout, null, append:PATH, fifo:PATH, or one or a list of " LOGGED);
	return buffer;
}

const struct value_type value_stdin = {parse_stdin, done_stdio, write_stdio, allowed_stdin};
const struct value_type value_stdout = {parse_stdout, done_stdio, write_stdio, allowed_stdout};
const struct value_type value_stderr = {parse_stderr, done_stdio, write_stdio, allowed_stderr};
