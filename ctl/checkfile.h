/* SPDX-License-Identifier: ISC */
/* checkfile.h: superctl check FILE..., without a daemon. */
#ifndef CTL_CHECKFILE_H
#define CTL_CHECKFILE_H

#include "ctl/ctl.h"

/* Have the engine's executable read the files that the command line names, and say what is wrong
 * with them. */
enum exitcode checkfile_run(struct ctl *ctl);

/* The same of one file with what it includes, of which `path` is read from `copy`.  Only errors are
 * told. */
enum exitcode checkfile_try(
    struct ctl *ctl, const char *config, const char *path, const char *copy);

#endif
