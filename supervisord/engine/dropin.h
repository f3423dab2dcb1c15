/* SPDX-License-Identifier: ISC */
/*
 * dropin.h: the file that superctl set --persist writes for a program: which one, and how.
 *
 * Its first line says whose it is, and nothing but a file with that line is ever written or
 * removed. It is replaced as a whole by rename(2), so that whoever reads it sees the old one or the
 * new one.
 */
#ifndef ENGINE_DROPIN_H
#define ENGINE_DROPIN_H

#include <sys/stat.h>

#include "supervisord/engine/config.h"

/* The first line; what stands behind the mark in it may change from version to version. */
#define DROPIN_MARK "# Written by superctl set --persist"
#define DROPIN_HEAD                                                                                \
	DROPIN_MARK ", which writes it anew as a whole: superctl unset --persist takes it back.\n"

struct dropin {
	char *path;
	const struct config_source *source; /* as it is now, of the files; or NULL */
};

/*
 * The file of a program, there or not: the one that the files have already, or the one to make,
 * where an include of the main file will find it, best beside the stanza.  `files` are just read
 * and have the program.  0; -EINVAL and *ret_problem, to be freed; -ENOMEM.
 */
int dropin_find(const struct config *files, const struct program_config *program,
    struct dropin *ret_dropin, char **ret_problem);
void dropin_done(struct dropin *dropin);

/* What owner and mode it is to have: its own, or those of `like` where there is none yet: values of
 * it may be secret.  0 or -errno. */
int dropin_look(const char *path, const char *like, struct stat *ret_looks);

/* It was written by us, and not by a person. */
bool dropin_is_ours(const struct config_source *source);

/*
 * Make `text` the content of the file, or remove it (NULL).  It is on the disk when this returns.
 * 0 or -errno, and then it is as it was.
 */
int dropin_write(const char *path, const char *text, const struct stat *looks);

#endif
