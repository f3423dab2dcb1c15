/* SPDX-License-Identifier: ISC */
/* signame.h: signal names and numbers, see signal(7).  Pure. */
#ifndef LIB_SIGNAME_H
#define LIB_SIGNAME_H

#include <stddef.h>

/* "TERM", "SIGTERM", "term", "15", "RTMIN+3", "RTMAX-1".  Returns the number, or -EINVAL. */
int signame_parse(const char *text);

/* "TERM", "RTMIN+3"; "SIG99" when it has no name.  Into `buffer` (16 bytes suffice), returned. */
const char *signame_format(int number, char *buffer, size_t size);

#endif
