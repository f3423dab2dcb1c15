/* SPDX-License-Identifier: ISC */
/*
 * editfile.h: a configuration file that is being edited: a copy beside it, under a name that no
 * include means, which takes its place as a whole or not at all.
 *
 * Owner and mode stay, and where the name is a symbolic link it is followed.  A file that somebody
 * else has changed meanwhile is left alone.
 */
#ifndef CTL_EDITFILE_H
#define CTL_EDITFILE_H

#include <sys/stat.h>

#include "ctl/ctl.h"

struct editfile {
	const char *path; /* as the configuration has it; borrowed */
	char *real;       /* what that is */
	char *copy;
	char *text; /* of the file, or what a new one begins with */
	size_t length;
	struct stat before;
	bool is_new;
};

/* Make the copy.  `text`: of a file that is not there, what it begins with; NULL: it is there. What
 * goes wrong is told.  editfile_done() is due in any case. */
enum exitcode editfile_begin(
    struct ctl *ctl, const char *path, const char *text, struct editfile *ret_file);

/* The copy says the same as the file did.  0 or 1, or -errno. */
int editfile_is_same(const struct editfile *file);

/* The copy takes the place of the file.  When it cannot, that is told, and it stays where it is. */
enum exitcode editfile_finish(struct ctl *ctl, struct editfile *file);

/* `keep`: a copy that has not become the file stays. */
void editfile_done(struct editfile *file, bool keep);

#endif
