/* SPDX-License-Identifier: ISC */
/*
 * options.h: superctl's command line.  Options may stand anywhere, `--` ends them; which verb takes
 * which is said in verbs.c and checked by its caller.
 */
#ifndef CTL_OPTIONS_H
#define CTL_OPTIONS_H

#include <stdint.h>
#include <stddef.h>

/* Bits of a set. */
enum option {
	OPTION_SOCKET = 1 << 0,
	OPTION_HELP = 1 << 1,
	OPTION_VERSION = 1 << 2,
	OPTION_NO_WAIT = 1 << 3,
	OPTION_TIMEOUT = 1 << 4,
	OPTION_JSON = 1 << 5,
	OPTION_LONG = 1 << 6,
	OPTION_LINES = 1 << 7,
	OPTION_FOLLOW = 1 << 8,
	OPTION_STDERR = 1 << 9,
	OPTION_FORCE = 1 << 10,
	OPTION_SINCE = 1 << 11,
	OPTION_RUN = 1 << 12,
	OPTION_GREP = 1 << 13,
	OPTION_ROTATE = 1 << 14,
	OPTION_REOPEN = 1 << 15,
	OPTION_CLEAR = 1 << 16,
	OPTION_PERSIST = 1 << 19,
	OPTION_NOW = 1 << 20,
	OPTION_DETACH_KEY = 1 << 17,
	OPTION_READ_ONLY = 1 << 18,
	OPTION_YES = 1 << 21,
	OPTION_ROLLBACK = 1 << 22,
	OPTION_ROLLING = 1 << 23,
	OPTION_DOT = 1 << 24,
	OPTION_SORT = 1 << 25,
	OPTION_DELAY = 1 << 26,
	OPTION_ONCE = 1 << 27,
	OPTION_WATCH = 1 << 28,
	OPTION_HOST = 1 << 29,
	OPTION_QUIET = 1 << 30,
	OPTION_WAIT = INT32_MIN /* bit 31, the last one: an enumerator is an int */
};

/* What every verb takes. */
#define OPTIONS_COMMON                                                                             \
	((unsigned)OPTION_SOCKET | OPTION_HOST | OPTION_QUIET | OPTION_HELP | OPTION_VERSION)

/* One row an option; `options_table[options_count]`. */
struct option_row {
	enum option option;
	char letter; /* 0: only the long form */
	const char *name;
	const char *argument; /* what help calls it; NULL: takes none */
	const char *help;
};

extern const struct option_row options_table[];
extern const size_t options_count;

struct options {
	unsigned set;       /* enum option bits that were given */
	const char *socket; /* NULL: look for it */
	const char *host;   /* NULL: this machine; else one, or several with commas */
	int64_t timeout_ns; /* with OPTION_TIMEOUT */
	int64_t watch_ns;   /* with OPTION_WATCH */
	int64_t delay_ns;   /* of top */
	const char *sort;   /* with OPTION_SORT */
	const char *detach_key; /* with OPTION_DETACH_KEY, checked; else NULL */
	int64_t lines;      /* -1: all */
	int64_t since_ns;   /* with OPTION_SINCE; wall clock */
	int64_t since_number; /* the same if it is a plain number, of an event, else -1 */
	int64_t run;        /* with OPTION_RUN */
	const char *grep;   /* with OPTION_GREP */
	const char *verb;   /* NULL: none was given */
	char **names;       /* what follows the verb, in argv, which is reordered */
	size_t name_count;
	size_t dashes; /* so many of them stand before "--"; SIZE_MAX: there is none */
};

/* Why a command line is wrong: the argument and what is the matter with it. */
struct options_error {
	const char *argument;
	const char *problem;
};

/* Borrows and reorders argv.  Returns 0, or -EINVAL with the error told. */
int options_parse(
    int argc, char **argv, struct options *ret_options, struct options_error *ret_error);

/* The option among `set` that has the lowest bit; NULL when there is none. */
const struct option_row *options_find(unsigned set);

#endif
