/* SPDX-License-Identifier: ISC */
/*
 * valuecheck.c: what tells that a program is ready or healthy, see valuetype.h.
 *
 * A regular expression is compiled here, to say what is wrong with it while somebody is looking. As
 * the C library takes memory without bound for nested repetitions and time without bound for
 * back-references, both are refused before it sees them.
 */
#include <errno.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/limits.h"
#include "lib/units.h"
#include "supervisord/engine/checktarget.h"
#include "supervisord/engine/valuetype.h"

/* Descriptors of fd:N: those above are where a launch keeps its own. */
#define FD_FIRST 3
#define FD_LAST  250

/* Parentheses in one another, and positions of an expression with its {m,n} written out. */
#define REGEX_DEPTH     32
#define REGEX_POSITIONS 2000

struct form {
	const char *text; /* one with a target ends in ':' or '/' */
	enum check_kind kind;
	bool looked_at; /* and so a form of a health check, too */
	int (*parse)(const struct value_input *input, const char *target, struct check *check,
	    char **ret_problem);
};

/* An expression while its size is counted. */
struct measure {
	uint64_t sizes[REGEX_DEPTH]; /* of each parenthesis that is open, and around all */
	size_t depth;
	uint64_t atom; /* what a repetition would repeat */
	bool repeats;
};

static const struct form *find_form(const struct value_input *input);
static int parse_fd(
    const struct value_input *input, const char *target, struct check *check, char **ret_problem);
static int parse_tcp(
    const struct value_input *input, const char *target, struct check *check, char **ret_problem);
static int parse_file(
    const struct value_input *input, const char *target, struct check *check, char **ret_problem);
static int parse_http(
    const struct value_input *input, const char *target, struct check *check, char **ret_problem);
static int refuse_https(
    const struct value_input *input, const char *target, struct check *check, char **ret_problem);
static int parse_exec(
    const struct value_input *input, const char *target, struct check *check, char **ret_problem);
static int parse_log(
    const struct value_input *input, const char *target, struct check *check, char **ret_problem);
static const char *check_regex(const char *regex);
static const char *take_atom(struct measure *measure, const char *at, const char **ret_problem);
static const char *take_brackets(const char *at);
static const char *take_interval(struct measure *measure, const char *at);
static int keep_target(const char *target, struct check *check);

static const struct form forms[] = {
    {"none", CHECK_NONE, true, NULL},
    {"notify", CHECK_NOTIFY, false, NULL},
    {"ipc", CHECK_IPC, false, NULL},
    {"listening", CHECK_LISTENING, false, NULL},
    {"fd:", CHECK_FD, false, parse_fd},
    {"tcp:", CHECK_TCP, true, parse_tcp},
    {"unix:", CHECK_UNIX, true, parse_file},
    {"http://", CHECK_HTTP, true, parse_http},
    {"https://", CHECK_HTTP, true, refuse_https},
    {"exec:", CHECK_EXEC, true, parse_exec},
    {"log:", CHECK_LOG, false, parse_log},
    {"file:", CHECK_FILE, true, parse_file},
};

static int parse_ready(const struct value_input *input, void *ret_value, char **ret_problem)
{
	const struct form *form = input->count > 0 ? find_form(input) : NULL;
	struct check check = {0};
	int error = 0;

	if (form == NULL)
		return value_problem(
		    input, input->count > 0 ? input->items[0] : "{}", "is not known", ret_problem);
	if (keytable_is_health(input->row) && !form->looked_at)
		return value_problem(input, input->items[0],
		    "tells once that a program is ready, and nothing later", ret_problem);
	if (input->list && form->kind != CHECK_EXEC)
		return value_sentence(
		    ret_problem, "is a list: only one that begins with \"exec:\" is allowed");
	check.kind = form->kind;
	if (form->parse != NULL)
		error =
		    form->parse(input, input->items[0] + strlen(form->text), &check, ret_problem);
	if (error == 0)
		*(struct check *)ret_value = check;
	return error;
}

static const struct form *find_form(const struct value_input *input)
{
	const char *text = input->items[0];

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		size_t length = strlen(forms[i].text);

		if (strncmp(text, forms[i].text, length) == 0 &&
		    (forms[i].parse != NULL || text[length] == '\0'))
			return &forms[i];
	}
	return NULL;
}

static int parse_fd(
    const struct value_input *input, const char *target, struct check *check, char **ret_problem)
{
	uint64_t fd;

	if (units_parse_count(target, FD_FIRST, FD_LAST, &fd) < 0)
		return value_sentence(ret_problem,
		    "'%s' is no descriptor to write to: fd:3 to fd:%d is allowed", input->items[0],
		    FD_LAST);
	check->fd = (int)fd;
	return 0;
}

static int parse_tcp(
    const struct value_input *input, const char *target, struct check *check, char **ret_problem)
{
	struct sockaddr_storage address;
	char quoted[CONFREPORT_QUOTE];
	unsigned length;

	if (checktarget_parse_tcp(target, &address, &length) < 0)
		return value_sentence(ret_problem,
		    "'%s' is no address: tcp:HOST:PORT is allowed, HOST being a number, an IPv6 "
		    "number in [ ] or localhost",
		    confreport_quote(input->items[0], quoted));
	return keep_target(target, check);
}

/* Of unix: and file:; they are made absolute when the directory is known. */
static int parse_file(
    const struct value_input *input, const char *target, struct check *check, char **ret_problem)
{
	size_t length = strlen(target);
	int error;

	if (length == 0 || target[length - 1] == '/')
		return value_problem(input, input->items[0], "names no file", ret_problem);
	error = value_check_expand(target, ret_problem);
	return error < 0 ? error : keep_target(target, check);
}

static int parse_http(
    const struct value_input *input, const char *target, struct check *check, char **ret_problem)
{
	const char *url = input->items[0], *path;
	struct sockaddr_storage address;
	char quoted[CONFREPORT_QUOTE];
	unsigned length;

	(void)target;
	if (checktarget_parse_http(url, &address, &length, &path) < 0)
		return value_sentence(ret_problem,
		    "'%s' cannot be asked: http://HOST/PATH or http://HOST:PORT/PATH is allowed, "
		    "HOST being a number, an IPv6 number in [ ] or localhost",
		    confreport_quote(url, quoted));
	return keep_target(url, check);
}

static int refuse_https(
    const struct value_input *input, const char *target, struct check *check, char **ret_problem)
{
	char quoted[CONFREPORT_QUOTE];

	(void)target;
	(void)check;
	return value_sentence(ret_problem,
	    "'%s' would need TLS, which is not spoken here: http://HOST[:PORT]/PATH is allowed, or "
	    "exec: with a command that asks",
	    confreport_quote(input->items[0], quoted));
}

static int parse_exec(
    const struct value_input *input, const char *target, struct check *check, char **ret_problem)
{
	return value_parse_exec(input, target, &check->words, ret_problem);
}

static int parse_log(
    const struct value_input *input, const char *target, struct check *check, char **ret_problem)
{
	char quoted[CONFREPORT_QUOTE], reason[CONFREPORT_QUOTE];
	const char *problem;
	regex_t regex;
	int error;

	if (target[0] == '\0')
		return value_problem(input, input->items[0], "matches every line", ret_problem);
	problem = check_regex(target);
	if (problem == NULL) {
		error = regcomp(&regex, target, REG_EXTENDED | REG_NOSUB);
		if (error == REG_ESPACE)
			return -ENOMEM;
		if (error == 0) {
			regfree(&regex);
			return keep_target(target, check);
		}
		(void)regerror(error, &regex, reason, sizeof(reason));
		problem = reason;
	}
	return value_sentence(ret_problem,
	    "'%s' is no regular expression: %s: an extended one of POSIX is allowed",
	    confreport_quote(target, quoted), problem);
}

/* What the C library would choke on; NULL: nothing.  It finds what is wrong otherwise. */
static const char *check_regex(const char *regex)
{
	struct measure measure = {0};
	const char *problem = NULL;

	for (const char *at = regex; *at != '\0' && problem == NULL;) {
		at = *at == '{' ? take_interval(&measure, at) : take_atom(&measure, at, &problem);
		if (measure.repeats && measure.sizes[measure.depth] > REGEX_POSITIONS)
			problem = "it repeats too much";
	}
	return problem;
}

static const char *take_atom(struct measure *measure, const char *at, const char **ret_problem)
{
	uint64_t inner = 1;

	if (at[0] == '(') {
		if (measure->depth == REGEX_DEPTH - 1)
			*ret_problem = "its parentheses are nested too deeply";
		else
			measure->sizes[++measure->depth] = 0;
		measure->atom = 0;
		return at + 1;
	}
	if (at[0] == ')' && measure->depth > 0)
		inner = measure->sizes[measure->depth--];
	if (at[0] == '\\' && at[1] >= '1' && at[1] <= '9')
		*ret_problem = "back-references are not allowed";
	measure->atom = inner;
	measure->sizes[measure->depth] += inner;
	if (at[0] == '\\' && at[1] != '\0')
		return at + 2;
	return at[0] == '[' ? take_brackets(at) : at + 1;
}

/* "[]a]", "[^]a]" and "[[:alpha:]]" end where they seem not to. */
static const char *take_brackets(const char *at)
{
	at++;
	if (*at == '^')
		at++;
	if (*at == ']')
		at++;
	while (*at != '\0' && *at != ']') {
		const char *end = NULL;

		if (at[0] == '[' && (at[1] == ':' || at[1] == '.' || at[1] == '=')) {
			const char close[] = {at[1], ']', '\0'};

			end = strstr(at + 2, close);
		}
		at = end != NULL ? end + 2 : at + 1;
	}
	return *at == ']' ? at + 1 : at;
}

/* "{3}", "{3,}", "{3,5}": the atom before it so many times. */
static const char *take_interval(struct measure *measure, const char *at)
{
	uint64_t most = 0;

	for (at++; *at != '}' && *at != '\0'; at++) {
		if (*at == ',' && at[1] != '}')
			most = 0;
		if (*at >= '0' && *at <= '9' && most <= REGEX_POSITIONS)
			most = most * 10 + (uint64_t)(*at - '0');
	}
	if (most > 1) {
		measure->repeats = true;
		measure->sizes[measure->depth] += measure->atom * (most - 1);
		measure->atom *= most;
	}
	return *at == '}' ? at + 1 : at;
}

static int keep_target(const char *target, struct check *check)
{
	check->target = strdup(target);
	return check->target == NULL ? -ENOMEM : 0;
}

static void done_ready(void *value, const void *shared)
{
	const struct check *check = value, *other = shared;

	if (other == NULL || check->target != other->target)
		free(check->target);
	if (other == NULL || check->words != other->words)
		free(check->words);
}

static void write_ready(const void *value, FILE *file)
{
	const struct check *check = value;
	size_t i = 0;

	while (forms[i].kind != check->kind)
		i++;
	if (check->kind == CHECK_FD)
		fprintf(file, "\"%s%d\"", forms[i].text, check->fd);
	else if (check->kind == CHECK_EXEC)
		value_write_words(forms[i].text, check->words, file);
	else if (check->kind == CHECK_HTTP)
		value_write_text("", check->target, file);
	else
		value_write_text(forms[i].text, check->target != NULL ? check->target : "", file);
}

static const char *allowed_ready(const struct key_row *row, char buffer[VALUE_ALLOWED])
{
	if (keytable_is_health(row))
		snprintf(buffer, VALUE_ALLOWED,
		    "none, tcp:HOST:PORT, unix:PATH, http://HOST[:PORT]/PATH, exec:COMMAND or "
		    "file:PATH");
	else
		snprintf(buffer, VALUE_ALLOWED,
		    "none, notify, fd:N, tcp:HOST:PORT, unix:PATH, http://HOST[:PORT]/PATH, "
		    "exec:COMMAND, log:REGEX or file:PATH");
	return buffer;
}

const struct value_type value_ready = {parse_ready, done_ready, write_ready, allowed_ready};
