/* SPDX-License-Identifier: ISC */
/*
 * unpack.h: read a compressed archive from its beginning, in bounded pieces.
 *
 * gzip, also of several members, and zstd, also of several frames.  A piece of work is one read of
 * the file and what comes out of it, up to the size of the caller's buffer, so that the logger's
 * loop is never held up by a large archive.  Memory: LIMIT_LOG_UNPACK bytes of input, and the
 * window of the format (32 KB, or at most 2^LIMIT_LOG_UNPACK_WINDOW bytes of zstd).
 */
#ifndef LOGGER_UNPACK_H
#define LOGGER_UNPACK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/logspec.h"

struct unpack;

/*
 * Takes `fd`, which is at its beginning, on success.  `how` is not LOGSPEC_PLAIN.  Returns 0 or
 * -ENOMEM.
 */
int unpack_new(int fd, enum logspec_compress how, struct unpack **ret_unpack);

/* Closes the file too.  NULL is allowed. */
void unpack_free(struct unpack *unpack);

/*
 * The next bytes: > 0, 0 at the end, -EAGAIN when this piece of work brought none, -EBADMSG when
 * the archive is damaged or ends too early, or what read(2) said.  `size` is not 0.
 */
ssize_t unpack_read(struct unpack *unpack, char *ret_bytes, size_t size);

#endif
