/* SPDX-License-Identifier: ISC */
/*
 * compress.h: one archive, compressed in a process of its own.
 *
 * The process is a child without exec, of the lowest priority, and dies with the logger.  The
 * archive is removed only when the compressed one is complete, on disk, and has its name: killed at
 * any instruction, it leaves the archive and perhaps a file with ARCHIVE_HALF behind its name, or
 * both files whole.
 */
#ifndef LOGGER_COMPRESS_H
#define LOGGER_COMPRESS_H

#include <sys/types.h>

#include "lib/archives.h"

/*
 * Compress the plain `archive` of the log at `path`.  Returns 0 with the child and a pidfd of it,
 * which the caller owns, or -errno.  It exits with 0 or with an errno; with 0 also when the archive
 * is gone.
 */
int compress_start(const char *path, const struct archive *archive, enum logspec_compress form,
    pid_t *ret_pid, int *ret_pidfd);

/* The work of the child.  Returns 0 or -errno. */
int compress_archive(const char *path, const struct archive *archive, enum logspec_compress form);

#endif
