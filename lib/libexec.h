/* SPDX-License-Identifier: ISC */
/*
 * libexec.h: where the executables are that nobody calls by name (engine, logger, hello).
 */
#ifndef LIB_LIBEXEC_H
#define LIB_LIBEXEC_H

#include <stddef.h>

/*
 * The directory of them: PREFIX/sbin/supervisord and PREFIX/bin/superctl have
 * PREFIX/libexec/supervisord beside them, so that a tree works wherever it is put; else the place
 * that was compiled in.  `size` is PATH_MAX or more; allocates nothing.
 */
void libexec_find(char *directory, size_t size);

#endif
