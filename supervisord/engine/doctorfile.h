/* SPDX-License-Identifier: ISC */
/*
 * doctorfile.h: whether execve(2) would succeed on a file, and the program then come as far as its
 * main(): the file, its interpreter, its shared libraries.  See execve(2), elf(5), ld.so(8).
 *
 * Looks with the rights and the environment of the calling process, which has become the program's
 * user.  Nothing of the file is executed: shared libraries are listed by the dynamic loader that
 * the file itself names, and only if that belongs to root.
 */
#ifndef ENGINE_DOCTORFILE_H
#define ENGINE_DOCTORFILE_H

#include "supervisord/engine/findings.h"

/*
 * Look at the first of `paths` that is there (NULL-terminated, in the order in which exec tries
 * them), for the key `check`.  `search`: the PATH that they came of, for the message.  `envp`: for
 * the loader, LD_LIBRARY_PATH for instance.
 */
void doctorfile_look(struct findings *findings, const char *check, char *const *paths,
    const char *search, char *const *envp);

#endif
