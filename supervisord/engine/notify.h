/* SPDX-License-Identifier: ISC */
/*
 * notify.h: the other side of sd_notify(3): a datagram socket for each program that has asked for
 * it (ready = "notify", or a watchdog).
 *
 * The socket is run_dir/notify/NAME; it belongs to the instance, is made once, and is held by the
 * guardian, so what a program says while the engine is being replaced is read by the next one.
 * Whom to believe: the sender's uid must be the program's or root's, and as long as the sender
 * lives it must be a process of the present run; a helper that has ended already (systemd-notify
 * may have) passes by its uid.  A program of root may drop its rights itself: then any uid will do,
 * but only of a live process of the run.
 *
 * What a message means is notifyparse.h; what is not understood is ignored, as sd_notify(3)
 * demands.
 */
#ifndef ENGINE_NOTIFY_H
#define ENGINE_NOTIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisord/engine/launch.h"

struct fdstore;
struct program;
struct notify; /* program.c keeps one a program, NULL: none */

/* Does the program's stanza ask for a socket? */
bool notify_is_wanted(const struct program *program);

/* Before a launch: make and hold the socket where it is wanted and not there yet; drop what is not
 * wanted any more, and what the run before has said.  Returns 0 or -errno. */
int notify_prepare(struct program *program);

/*
 * Add NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID's place.  `environment`: room for
 * NOTIFY_ENVIRONMENT more, *count of it used; strings are given (malloc).  0 or -ENOMEM.
 */
#define NOTIFY_ENVIRONMENT 3
int notify_add(struct program *program, char **environment, size_t *count);

/* What the program has left with us, for its next run; NULL: nothing was asked for. */
const struct fdstore *notify_store(const struct program *program);

/* Read what the program has said until now: its end is about to be acted on, and its last words
 * were before that. */
void notify_catch_up(struct program *program);

/* superctl reload has just told the program: a RELOADING=1 from before is not the answer. */
void notify_note_reload(struct program *program);

/* The last ERRNO= of the present run, 0: none. */
int notify_errno(const struct program *program);

/* A slot of a previous engine (HELD_NOTIFY, HELD_STORE, HELD_STORE_NAMES). */
void notify_adopt(struct program *program, uint64_t key, int slot);

/* The program has stopped for good (an operator's stop, not a restart): its stored descriptors go.
 */
void notify_forget_store(struct program *program);

/* The instance is gone. */
void notify_release(struct program *program);

#endif
