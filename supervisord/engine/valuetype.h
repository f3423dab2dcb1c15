/* SPDX-License-Identifier: ISC */
/*
 * valuetype.h: what a type of value is made of; for value.c and the files that implement types.
 */
#ifndef ENGINE_VALUETYPE_H
#define ENGINE_VALUETYPE_H

#include "supervisord/engine/confreport.h"
#include "supervisord/engine/value.h"

struct value_type {
	/* As value_parse(). */
	int (*parse)(const struct value_input *input, void *ret_value, char **ret_problem);
	/* NULL where nothing is allocated. */
	void (*done)(void *value, const void *shared);
	void (*write)(const void *value, FILE *file);
	const char *(*allowed)(const struct key_row *row, char buffer[VALUE_ALLOWED]);
};

/*
 * Make *ret_problem "'TEXT' PROBLEM: ALLOWED is allowed" with the words of the row.  Returns
 * -EINVAL or -ENOMEM, for the caller to return.
 */
int value_problem(
    const struct value_input *input, const char *text, const char *problem, char **ret_problem);

/* The same with the whole sentence given. */
int value_sentence(char **ret_problem, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The check of %{…} in a string that is expanded later; 0 or as value_sentence(). */
int value_check_expand(const char *text, char **ret_problem);

/*
 * The words of "exec:COMMAND", `first` being what stands behind the colon: split as a command, or
 * of a list taken as they are.  0 or as value_sentence().
 */
int value_parse_exec(
    const struct value_input *input, const char *first, string_list *ret_argv, char **ret_problem);

/* `prefix` and `text` in one '"', escaped so that a file can have it. */
void value_write_text(const char *prefix, const char *text, FILE *file);

/* A list; `prefix` goes before the first word. */
void value_write_words(const char *prefix, const string_list words, FILE *file);

extern const struct value_type value_command, value_environment, value_names, value_depends,
    value_patterns, value_events, value_log_filter, value_allow, value_sockets,
    value_listen;                                                       /* valuelist.c */
extern const struct value_type value_stdin, value_stdout, value_stderr; /* valuestdio.c */
extern const struct value_type value_octal, value_duration, value_size, value_count, value_factor,
    value_percent, value_instances;                       /* valuenumber.c */
extern const struct value_type value_signal, value_exits; /* valuesignal.c */
extern const struct value_type value_ready;               /* valuecheck.c */
extern const struct value_type value_on_failure, value_steps, value_health_action; /* valuelife.c */

#endif
