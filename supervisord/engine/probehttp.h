/* SPDX-License-Identifier: ISC */
/*
 * probehttp.h: as much HTTP/1.1 as a check needs: a GET, and the status of the answer (RFC 9112).
 *
 * Of an answer only status lines are read; interim ones (100 to 199) are passed over.  Pure.
 */
#ifndef ENGINE_PROBEHTTP_H
#define ENGINE_PROBEHTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/limits.h"

/* Room for the request of any URL that a configuration can hold: it stands there twice, in parts.
 */
#define PROBEHTTP_REQUEST (2 * LIMIT_CONFIG_WORD + 256)

/* An answer that is being read; zeroed at its beginning. */
struct probehttp {
	uint32_t taken;       /* bytes so far */
	uint32_t line_length; /* of the line so far, also past `line` */
	bool in_head;         /* after an interim status line: until the empty line */
	char line[32];
};

/*
 * The request for "http://HOST[:PORT]/PATH", `path` pointing at its slash.  Returns 0 and the
 * length, or -EMSGSIZE.
 */
int probehttp_write_request(
    const char *url, const char *path, char *buffer, size_t size, size_t *ret_length);

/*
 * The next bytes of the answer.  Returns its status from 200 on; 0: not known yet; -EBADMSG: this
 * is not HTTP; -EMSGSIZE: LIMIT_CHECK_REPLY bytes, and no status yet.
 */
int probehttp_read(struct probehttp *http, const char *bytes, size_t length);

#endif
