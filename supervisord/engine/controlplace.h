/* SPDX-License-Identifier: ISC */
/*
 * controlplace.h: who gets a connection when there are many.
 *
 * Root and the daemon's own user may have all of LIMIT_CONTROL_CLIENTS, the others together all but
 * LIMIT_CONTROL_RESERVED of these, and each of them LIMIT_CONTROL_PER_USER.  No connection ends for
 * being silent, but the one that has been silent longest makes room for a new one.
 */
#ifndef ENGINE_CONTROLPLACE_H
#define ENGINE_CONTROLPLACE_H

#include <sys/types.h>

struct control;

/* Make sure that there is a place for one more of this user.  NULL; or why there is none. */
const char *controlplace_find(struct control *control, uid_t uid);

/* Tell the peer that, and close the descriptor. */
void controlplace_turn_away(int fd, const char *reason);

#endif
