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
typedef uint64_t option_set;

#define OPTION_SOCKET     (UINT64_C(1) << 0)
#define OPTION_HELP       (UINT64_C(1) << 1)
#define OPTION_VERSION    (UINT64_C(1) << 2)
#define OPTION_NO_WAIT    (UINT64_C(1) << 3)
#define OPTION_TIMEOUT    (UINT64_C(1) << 4)
#define OPTION_JSON       (UINT64_C(1) << 5)
#define OPTION_LONG       (UINT64_C(1) << 6)
#define OPTION_LINES      (UINT64_C(1) << 7)
#define OPTION_FOLLOW     (UINT64_C(1) << 8)
#define OPTION_STDERR     (UINT64_C(1) << 9)
#define OPTION_FORCE      (UINT64_C(1) << 10)
#define OPTION_SINCE      (UINT64_C(1) << 11)
#define OPTION_RUN        (UINT64_C(1) << 12)
#define OPTION_GREP       (UINT64_C(1) << 13)
#define OPTION_ROTATE     (UINT64_C(1) << 14)
#define OPTION_REOPEN     (UINT64_C(1) << 15)
#define OPTION_CLEAR      (UINT64_C(1) << 16)
#define OPTION_DETACH_KEY (UINT64_C(1) << 17)
#define OPTION_READ_ONLY  (UINT64_C(1) << 18)
#define OPTION_PERSIST    (UINT64_C(1) << 19)
#define OPTION_NOW        (UINT64_C(1) << 20)
#define OPTION_WAIT       (UINT64_C(1) << 21)
#define OPTION_ROLLBACK   (UINT64_C(1) << 22)
#define OPTION_ROLLING    (UINT64_C(1) << 23)
#define OPTION_DOT        (UINT64_C(1) << 24)
#define OPTION_SORT       (UINT64_C(1) << 25)
#define OPTION_DELAY      (UINT64_C(1) << 26)
#define OPTION_ONCE       (UINT64_C(1) << 27)
#define OPTION_WATCH      (UINT64_C(1) << 28)
#define OPTION_HOST       (UINT64_C(1) << 29)
#define OPTION_QUIET      (UINT64_C(1) << 30)
#define OPTION_YES        (UINT64_C(1) << 31)

/* What every verb takes. */
#define OPTIONS_COMMON (OPTION_SOCKET | OPTION_HOST | OPTION_QUIET | OPTION_HELP | OPTION_VERSION)

/* One row an option; `options_table[options_count]`. */
struct option_row {
	option_set option;
	char letter; /* 0: only the long form */
	const char *name;
	const char *argument; /* what help calls it; NULL: takes none */
	const char *help;
};

extern const struct option_row options_table[];
extern const size_t options_count;

struct options {
	option_set set;         /* that were given */
	const char *socket;     /* NULL: look for it */
	const char *host;       /* NULL: this machine; else one, or several with commas */
	int64_t timeout_ns;     /* with OPTION_TIMEOUT */
	int64_t watch_ns;       /* with OPTION_WATCH */
	int64_t delay_ns;       /* of top */
	const char *sort;       /* with OPTION_SORT */
	const char *detach_key; /* with OPTION_DETACH_KEY, checked; else NULL */
	int64_t lines;          /* -1: all */
	int64_t since_ns;       /* with OPTION_SINCE; wall clock */
	int64_t since_number;   /* the same if it is a plain number, of an event, else -1 */
	int64_t run;            /* with OPTION_RUN */
	const char *grep;       /* with OPTION_GREP */
	const char *verb;       /* NULL: none was given */
	char **names;           /* what follows the verb, in argv, which is reordered */
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
const struct option_row *options_find(option_set set);

#endif
