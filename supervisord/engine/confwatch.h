/* SPDX-License-Identifier: ISC */
/*
 * confwatch.h: whether anything has happened in the directories of the configuration, for one
 * read(2) a question (inotify(7)).
 *
 * It knows nothing of files: something has happened, so look (confstamp.h).  The descriptor is not
 * in the loop: nobody is woken up, and each directory tells its first event only, so nothing piles
 * up in the kernel while nobody asks.
 */
#ifndef ENGINE_CONFWATCH_H
#define ENGINE_CONFWATCH_H

#include <stdbool.h>

/* Nothing is watched yet.  0 or -errno. */
int confwatch_new(int *ret_fd);

/* False: what happens there would not be seen (it is not there, is on the file system of another
 * machine, or there are too many watches). */
bool confwatch_add(int fd, const char *directory);

bool confwatch_has_news(int fd);

#endif
