/* SPDX-License-Identifier: ISC */
/* options.c: see options.h.  getopt_long(3) would need each option written twice. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/limits.h"
#include "lib/units.h"
#include "ctl/detach.h"
#include "ctl/options.h"
#include "ctl/since.h"

#define DEFAULT_LINES    10
#define DEFAULT_WATCH_NS (2 * NS_PER_S)
#define LEAST_WATCH_NS   (100 * NS_PER_MS)

/* clang-format off */
const struct option_row options_table[] = {
	{OPTION_SOCKET,  's', "socket",  "SOCKET",   "the control socket of the supervisord to talk to"},
	{OPTION_NO_WAIT, 0,   "no-wait", NULL,       "return when the command is accepted, not when it is done"},
	{OPTION_WAIT,    0,   "wait",    NULL,       "wait until it is done, what happens anyway; of run: for the end of the program, whose status is ours"},
	{OPTION_TIMEOUT, 0,   "timeout", "DURATION", "wait no longer than this (10s, 2min); the command goes on"},
	{OPTION_ROLLING, 0,   "rolling", NULL,       "one instance after the other, each when the one before is ready"},
	{OPTION_ROLLBACK,0,  "rollback",NULL,       "go back to what was applied before when a program does not come up"},
	{OPTION_PERSIST, 0,   "persist", NULL,       "for good: in a file beside the configuration, too"},
	{OPTION_NOW,     0,   "now",     NULL,       "start or stop it now, too"},
	{OPTION_FORCE,   0,   "force",   NULL,       "stop what requires these programs too"},
	{OPTION_DETACH_KEY, 0, "detach-key", "KEYS", "what detaches from a terminal: ctrl-p,ctrl-q, another key or several, or none"},
	{OPTION_READ_ONLY, 0, "read-only", NULL,  "only look, and type nothing"},
	{OPTION_YES,     'y', "yes",     NULL,       "ask nothing: yes to all"},
	{OPTION_LONG,    'l', "long",    NULL,       "memory and CPU time too, and nothing cut"},
	{OPTION_JSON,    0,   "json",    NULL,       "as JSON: an array of records, or lines with an object each"},
	{OPTION_LINES,   'n', "lines",   "LINES",    "show the last LINES lines first (10), or \"all\""},
	{OPTION_FOLLOW,  'f', "follow",  NULL,       "go on with what comes"},
	{OPTION_STDERR,  0,   "stderr",  NULL,       "what the program wrote to stderr, where that is a log of its own"},
	{OPTION_SINCE,   0,   "since",   "TIME",     "only what came since then (10min, 09:30, 2026-01-31; a number alone: seconds, of events their number)"},
	{OPTION_RUN,     0,   "run",     "NUMBER",   "only what this run wrote (needs log_format = stamp or json)"},
	{OPTION_GREP,    0,   "grep",    "REGEXP",   "only lines that match this extended regular expression"},
	{OPTION_ROTATE,  0,   "rotate",  NULL,       "show nothing: begin new files, the old ones become archives"},
	{OPTION_REOPEN,  0,   "reopen",  NULL,       "show nothing: open the files anew, after somebody moved them"},
	{OPTION_CLEAR,   0,   "clear",   NULL,       "show nothing: remove what is in the logs, and their archives"},
	{OPTION_DOT,     0,   "dot",     NULL,       "for dot(1): superctl graph --dot | dot -Tsvg >graph.svg"},
	{OPTION_ONCE,    0,   "once",    NULL,       "print it once, as plain text"},
	{OPTION_DELAY,   'd', "delay",   "DURATION", "look again after this (2s)"},
	{OPTION_SORT,    0,   "sort",    "name|state|cpu|memory|starts|age", "what the order is by"},
	{OPTION_WATCH,   'w', "watch",   "[=DURATION]", "show it again every 2s, or so often, until q or Ctrl-C"},
	{OPTION_HOST,    'H', "host",    "HOST",     "through ssh to that machine, user@host; or to several: a,b,c"},
	{OPTION_QUIET,   'q', "quiet",   NULL,       "print errors only"},
	{OPTION_HELP,    'h', "help",    NULL,       "show help"},
	{OPTION_VERSION, 'V', "version", NULL,       "show the version of superctl"},
};
/* clang-format on */
const size_t options_count = sizeof(options_table) / sizeof(options_table[0]);

/* The walk over argv; `value` belongs to the option in hand. */
struct walk {
	int argc;
	char **argv;
	int at;
	struct options *options;
	struct options_error *error;
};

static bool needs_value(const struct option_row *row);
static int take_long(struct walk *walk);
static int take_letters(struct walk *walk);
static int take_pace(struct walk *walk, const char *value, int64_t *ret_ns);
static int take_lines(struct walk *walk, const char *value);
static int take_since(struct walk *walk, const char *value);
static int take_option(struct walk *walk, const struct option_row *row, const char *value);
static int take_value(struct walk *walk, const struct option_row *row, const char *value);
static int complain(struct walk *walk, const char *argument, const char *problem);

int options_parse(
    int argc, char **argv, struct options *ret_options, struct options_error *ret_error)
{
	struct options options = {.lines = DEFAULT_LINES,
	    .since_number = -1,
	    .delay_ns = DEFAULT_WATCH_NS,
	    .names = argv};
	struct walk walk = {argc, argv, 1, &options, ret_error};
	bool only_names = false;
	int words = 0, dashes = -1;
	int r = 0;

	for (; walk.at < argc && r == 0; walk.at++) {
		char *word = argv[walk.at];

		if (only_names || word[0] != '-' || word[1] == '\0') {
			argv[words++] = word;
		} else if (strcmp(word, "--") == 0) {
			only_names = true;
			dashes = words;
		} else if (word[1] == '-') {
			r = take_long(&walk);
		} else {
			r = take_letters(&walk);
		}
	}
	if (r < 0)
		return r;
	if (words > 0) {
		options.verb = argv[0];
		options.names = argv + 1;
		options.name_count = (size_t)words - 1;
	}
	options.dashes = dashes > 0 ? (size_t)dashes - 1 : SIZE_MAX;
	*ret_options = options;
	return 0;
}

const struct option_row *options_find(option_set set)
{
	for (size_t i = 0; i < options_count; i++)
		if (set & options_table[i].option)
			return &options_table[i];
	return NULL;
}

/* One that begins with '[' stands behind a '=' or is not given. */
static bool needs_value(const struct option_row *row)
{
	return row->argument != NULL && row->argument[0] != '[';
}

/* The word after the one in hand, as the value of an option; NULL at the end. */
static const char *take_next(struct walk *walk)
{
	if (walk->at + 1 >= walk->argc)
		return NULL;
	return walk->argv[++walk->at];
}

/* --name, --name=value, --name value */
static int take_long(struct walk *walk)
{
	const char *word = walk->argv[walk->at];
	const char *name = word + 2;
	size_t length = strcspn(name, "=");
	const char *value = name[length] == '=' ? name + length + 1 : NULL;

	for (size_t i = 0; i < options_count; i++) {
		const struct option_row *row = &options_table[i];

		if (strlen(row->name) != length || strncmp(row->name, name, length) != 0)
			continue;
		if (row->argument == NULL && value != NULL)
			return complain(walk, word, "this option takes no value");
		if (needs_value(row) && value == NULL)
			value = take_next(walk);
		return take_option(walk, row, value);
	}
	return complain(walk, word, "no such option");
}

/* -f, -fl, -n5, -n 5 */
static int take_letters(struct walk *walk)
{
	const char *word = walk->argv[walk->at];

	for (const char *letter = word + 1; *letter != '\0'; letter++) {
		const struct option_row *row = NULL;
		int r;

		for (size_t i = 0; i < options_count && row == NULL; i++)
			if (options_table[i].letter == *letter)
				row = &options_table[i];
		if (row == NULL)
			return complain(walk, word, "no such option");
		if (needs_value(row))
			return take_option(
			    walk, row, letter[1] != '\0' ? letter + 1 : take_next(walk));
		r = take_option(walk, row, NULL);
		if (r < 0)
			return r;
	}
	return 0;
}

/* How often something is looked at. */
static int take_pace(struct walk *walk, const char *value, int64_t *ret_ns)
{
	if (units_parse_duration(value, ret_ns) < 0 || *ret_ns < LEAST_WATCH_NS)
		return complain(
		    walk, value, "not a duration of 100ms or more, such as 500ms, 2s or 1min");
	return 0;
}

static int take_lines(struct walk *walk, const char *value)
{
	uint64_t count = 0;

	walk->options->lines = -1;
	if (strcmp(value, "all") == 0 || strcmp(value, "-1") == 0)
		return 0;
	if (units_parse_count(value, 0, LIMIT_LOG_LINES, &count) < 0)
		return complain(walk, value, "not a number of lines (0 to 1000000, or all)");
	walk->options->lines = (int64_t)count;
	return 0;
}

/* A time, or the number of an event: what it is, the command knows. */
static int take_since(struct walk *walk, const char *value)
{
	struct options *options = walk->options;
	uint64_t count = 0;

	options->since_number = -1;
	if (units_parse_count(value, 0, INT64_MAX - 1, &count) == 0)
		options->since_number = (int64_t)count;
	if (since_parse(value, clock_wall_ns(), &options->since_ns) < 0)
		return complain(walk, value, "not a time, such as " SINCE_FORMS);
	return 0;
}

static int take_option(struct walk *walk, const struct option_row *row, const char *value)
{
	if (value == NULL && needs_value(row))
		return complain(walk, walk->argv[walk->at], "this option needs a value");
	walk->options->set |= row->option;
	return take_value(walk, row, value != NULL ? value : "");
}

static int take_value(struct walk *walk, const struct option_row *row, const char *value)
{
	struct options *options = walk->options;
	uint64_t count = 0;

	switch (row->option) {
	case OPTION_SOCKET:
		options->socket = value;
		break;
	case OPTION_WAIT: /* of the two the last one counts */
		options->set &= ~OPTION_NO_WAIT;
		break;
	case OPTION_DELAY:
		return take_pace(walk, value, &options->delay_ns);
	case OPTION_SORT:
		options->sort = value;
		break;
	case OPTION_DETACH_KEY:
		if (detach_parse(value, &(struct detach){0}) < 0)
			return complain(walk, value,
			    "not a list of keys, such as ctrl-p,ctrl-q or ctrl-], or none");
		options->detach_key = value;
		break;
	case OPTION_WATCH:
		options->watch_ns = DEFAULT_WATCH_NS;
		return value[0] != '\0' ? take_pace(walk, value, &options->watch_ns) : 0;
	case OPTION_HOST:
		options->host = value;
		break;
	case OPTION_TIMEOUT:
		if (units_parse_duration(value, &options->timeout_ns) < 0)
			return complain(walk, value, "not a duration, such as 500ms, 10s or 2min");
		break;
	case OPTION_LINES:
		return take_lines(walk, value);
	case OPTION_SINCE:
		return take_since(walk, value);
	case OPTION_RUN:
		if (units_parse_count(value, 1, INT64_MAX, &count) < 0)
			return complain(walk, value, "not the number of a run");
		options->run = (int64_t)count;
		break;
	case OPTION_GREP:
		options->grep = value;
		break;
	case OPTION_ROTATE:
	case OPTION_REOPEN:
	case OPTION_CLEAR:
	case OPTION_DOT:
	case OPTION_ONCE:
	case OPTION_QUIET:
	case OPTION_HELP:
	case OPTION_VERSION:
	case OPTION_NO_WAIT:
	case OPTION_JSON:
	case OPTION_LONG:
	case OPTION_FOLLOW:
	case OPTION_STDERR:
	case OPTION_FORCE:
	case OPTION_ROLLBACK:
	case OPTION_ROLLING:
	case OPTION_PERSIST:
	case OPTION_NOW:
	case OPTION_READ_ONLY:
	case OPTION_YES:
		break;
	}
	return 0;
}

static int complain(struct walk *walk, const char *argument, const char *problem)
{
	*walk->error = (struct options_error){argument, problem};
	return -EINVAL;
}
