/* SPDX-License-Identifier: ISC */
/*
 * expand.h: %{word} in the strings of a stanza.
 *
 * Known words: name program instance user home run_dir, and percent, which is "%".  An unknown word
 * in %{…} or an unclosed %{ is an error (found when the file is loaded); every other % is left
 * alone, so `%20` and `date +%s` need no quoting.  Pure.
 */
#ifndef ENGINE_EXPAND_H
#define ENGINE_EXPAND_H

struct expand_words {
	const char *name;      /* web@3 */
	const char *program;   /* web */
	const char *instance;  /* 3 */
	const char *user;
	const char *home;
	const char *run_dir;
	const char *percent; /* NULL: "%" */
};

/* Returns 0 and gives a new string, -EINVAL for a bad %{…}, -ENOMEM. */
int expand_string(const char *text, const struct expand_words *words, char **ret_text);

/* The offset of the first bad %{ in `text`, or -1. */
int expand_check(const char *text);

#endif
