/* SPDX-License-Identifier: ISC */
/*
 * options.c: see options.h.  One row per option; the row says where its value goes, so that the
 * long options of getopt_long(3), the checks and the help come from one table.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <string.h>

#include "hello/options.h"
#include "lib/clock.h"
#include "lib/units.h"

/* Longer than anybody waits, short enough that no sum of deadlines can overflow. */
#define DURATION_MAX_NS (24 * 3600 * NS_PER_S)

struct row {
	const char *name;
	char letter; /* 0: long form only */
	const char *value;
	int (*take)(struct options *options, const struct row *row, const char *value, char *error,
	    size_t size);
	size_t offset; /* of the member of struct options that take_duration() sets */
	const char *help;
};

static int take_listen(
    struct options *options, const struct row *row, const char *value, char *error, size_t size);
static int take_user(
    struct options *options, const struct row *row, const char *value, char *error, size_t size);
static int take_duration(
    struct options *options, const struct row *row, const char *value, char *error, size_t size);
static int take_connections(
    struct options *options, const struct row *row, const char *value, char *error, size_t size);
static int take_flag(
    struct options *options, const struct row *row, const char *value, char *error, size_t size);
static int refuse(const char *argument, int option, char *error, size_t size);

/* clang-format off */
static const struct row rows[] = {
	{"listen", 'l', "ADDR", take_listen, 0,
	    ADDRESS_ALLOWED "; may be repeated (127.0.0.1:8124)"},
	{"user", 'u', "USER[:GROUP]", take_user, 0,
	    "become this user once bound; @sudo: who called sudo"},
	{"grace", 0, "TIME", take_duration, offsetof(struct options, grace_ns),
	    "at SIGTERM, let requests finish for so long (5s)"},
	{"header-timeout", 0, "TIME", take_duration, offsetof(struct options, pool.timeout_ns[PHASE_HEAD]),
	    "the head of a request must come within (10s)"},
	{"body-timeout", 0, "TIME", take_duration, offsetof(struct options, pool.timeout_ns[PHASE_BODY]),
	    "its body must come within (30s)"},
	{"idle-timeout", 0, "TIME", take_duration, offsetof(struct options, pool.timeout_ns[PHASE_IDLE]),
	    "keep a connection without a request for (60s)"},
	{"write-timeout", 0, "TIME", take_duration, offsetof(struct options, pool.timeout_ns[PHASE_WRITE]),
	    "answers must be taken within (30s)"},
	{"max-connections", 0, "N", take_connections, 0,
	    "connections served at once (1024)"},
	{"debug", 0, NULL, take_flag, 0,
	    "add /crash, /exit?code=N and /hang"},
	{"help", 'h', NULL, take_flag, 0,
	    "print this"},
	{"version", 'V', NULL, take_flag, 0,
	    "print the version"},
};
/* clang-format on */
#define ROWS (sizeof(rows) / sizeof(rows[0]))

int options_parse(int argc, char **argv, struct options *ret_options, char *error, size_t size)
{
	struct options options = {.grace_ns = 5 * NS_PER_S};
	struct option longs[ROWS + 1] = {0};
	int option, index = 0;

	pool_settings_init(&options.pool);
	for (size_t i = 0; i < ROWS; i++)
		longs[i] = (struct option){.name = rows[i].name, .has_arg = rows[i].value != NULL};
	opterr = 0;
	optind = 0; /* also forgets where a parse before this one stopped */
	while ((option = getopt_long(argc, argv, ":l:u:hV", longs, &index)) != -1) {
		size_t row = 0;
		int r;

		if (option == '?' || option == ':')
			return refuse(argv[optind - 1], option, error, size);
		while (option ? rows[row].letter != option : (int)row != index)
			row++;
		r = rows[row].take(&options, &rows[row], optarg, error, size);
		if (r)
			return r;
	}
	if (optind < argc) {
		(void)snprintf(error, size,
		    "unexpected argument \"%.100s\": only options are allowed", argv[optind]);
		return -EINVAL;
	}
	/* Nothing sent at all is treated like a head that does not come. */
	options.pool.timeout_ns[PHASE_FRESH] = options.pool.timeout_ns[PHASE_HEAD];
	*ret_options = options;
	return 0;
}

void options_print_help(FILE *file)
{
	(void)fputs("usage: hello [options]\n"
		    "Answers every GET and HEAD with \"Hello World\". See hello(8).\n",
	    file);
	for (size_t i = 0; i < ROWS; i++) {
		char left[40];

		(void)snprintf(left, sizeof(left), "--%s %s", rows[i].name,
		    rows[i].value ? rows[i].value : "");
		(void)fprintf(file, "  %c%c  %-25s %s\n", rows[i].letter ? '-' : ' ',
		    rows[i].letter ? rows[i].letter : ' ', left, rows[i].help);
	}
}

static int refuse(const char *argument, int option, char *error, size_t size)
{
	if (option == ':')
		(void)snprintf(
		    error, size, "option %.100s needs a value: see hello --help", argument);
	else
		(void)snprintf(error, size,
		    "bad option \"%.100s\": allowed are the options of hello --help", argument);
	return -EINVAL;
}

static int take_listen(
    struct options *options, const struct row *row, const char *value, char *error, size_t size)
{
	int r;

	if (options->address_count == LIMIT_HELLO_LISTENERS) {
		(void)snprintf(error, size, "--%s: too many addresses: at most %d are allowed",
		    row->name, LIMIT_HELLO_LISTENERS);
		return -EINVAL;
	}
	r = address_parse(value, &options->addresses[options->address_count]);
	if (r == -ENAMETOOLONG) {
		(void)snprintf(error, size,
		    "--%s %.100s...: the path is too long: at most %zu bytes", row->name, value,
		    sizeof(options->addresses[0].un.sun_path) - 1);
		return -EINVAL;
	}
	if (r) {
		(void)snprintf(error, size,
		    "--%s %.100s: not an address: allowed are " ADDRESS_ALLOWED, row->name, value);
		return r;
	}
	options->address_count++;
	return 0;
}

static int take_user(
    struct options *options, const struct row *row, const char *value, char *error, size_t size)
{
	char reason[128] = "out of memory";
	int r = identity_parse(value, &options->identity, reason, sizeof(reason));

	if (r)
		(void)snprintf(error, size, "--%s %.60s: %s", row->name, value, reason);
	options->has_identity = true;
	return r;
}

static int take_duration(
    struct options *options, const struct row *row, const char *value, char *error, size_t size)
{
	int64_t ns = 0;

	if (units_parse_duration(value, &ns) || ns < NS_PER_MS || ns > DURATION_MAX_NS) {
		(void)snprintf(error, size,
		    "--%s %.60s: not a time: allowed are 1ms to 24h, such as 500ms, 10s or 2min",
		    row->name, value);
		return -EINVAL;
	}
	memcpy((char *)options + row->offset, &ns, sizeof(ns));
	return 0;
}

static int take_connections(
    struct options *options, const struct row *row, const char *value, char *error, size_t size)
{
	uint64_t number;

	if (units_parse_count(value, 1, LIMIT_HELLO_CONNECTIONS_MAX, &number)) {
		(void)snprintf(error, size, "--%s %.60s: not a number: allowed are 1 to %d",
		    row->name, value, LIMIT_HELLO_CONNECTIONS_MAX);
		return -EINVAL;
	}
	options->pool.connections_max = (unsigned)number;
	return 0;
}

static int take_flag(
    struct options *options, const struct row *row, const char *value, char *error, size_t size)
{
	(void)value;
	(void)error;
	(void)size;
	if (!strcmp(row->name, "debug"))
		options->pool.is_debug = true;
	else if (options->act == OPTIONS_RUN) /* the first of -h and -V counts */
		options->act = row->letter == 'h' ? OPTIONS_HELP : OPTIONS_VERSION;
	return 0;
}
