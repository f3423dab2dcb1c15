/* SPDX-License-Identifier: ISC */
/*
 * confedit.h: another value for one key of a program, in the text of a file.  All else of the text
 * stays as it is, comments too, and no line moves.  Pure.
 */
#ifndef ENGINE_CONFEDIT_H
#define ENGINE_CONFEDIT_H

#include <stddef.h>

struct confedit {
	const char *text; /* of a whole file, that has been accepted */
	size_t length;
	const char *program;
	const char *key;   /* not of a section in it */
	const char *value; /* as it is to stand there */
};

/*
 * Gives the new text (to be freed; with a NUL behind its end).  -ENOENT: the text has no stanza of
 * that program; -EBADMSG: it cannot be read; -ENOMEM.
 */
int confedit_set(const struct confedit *edit, char **ret_text, size_t *ret_length);

#endif
