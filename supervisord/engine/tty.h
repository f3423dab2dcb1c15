/* SPDX-License-Identifier: ISC */
/*
 * tty.h: the pseudo terminal of a program with tty = true, the engine's part.
 *
 * The terminal belongs to the instance, not to a run: its master, the pipe for what is on the way
 * to the log, and the state of its relay (a companion, conftty.c; supervisord/terminal/) are made
 * once and held by the guardian.  Each run gets the other side opened anew, with settings as they
 * were in the beginning, as its user's, and makes it its controlling terminal.  The engine never
 * reads from it nor writes to it.
 */
#ifndef ENGINE_TTY_H
#define ENGINE_TTY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisord/engine/ids.h"
#include "supervisord/engine/launch.h"

struct call;
struct program;
struct engine;

/* TERM of a program whose stanza does not say another. */
#define TTY_TERM "xterm-256color"

/* Open a new pseudo terminal: its master.  0 or -errno. */
int tty_open_master(int *ret_fd);

/*
 * Before the launch of a relay: its terminal, a new link to it on which it has been told where the
 * output goes.  Adds its descriptors; that of the link is *ret_close's to be closed after the
 * launch (-1: this is no relay).  0 or -errno with *ret_step.
 */
int tty_prepare(struct program *program, const struct ids *ids, struct launch_fd *extra,
    size_t *extra_count, int *ret_close, enum launch_step *ret_step);

/* Before a launch of the program: what is to be its 0, 1 and 2; given.  0 or -errno. */
int tty_open(struct program *program, const struct ids *ids, int *ret_fd);

/* The relay is told where the output of the next run goes; borrows.  Without a relay nothing
 * happens: it will be told at its start. */
void tty_set_output(struct program *program, int fd);

/* It has come to this state: for those who are attached. */
void tty_tell(const struct program *program, const char *state, const char *reason);

/* Its stanza may have changed, or be gone: where it does not ask for a terminal any more, the relay
 * sees the present run to its end. */
void tty_note_stanza(const struct program *program);

/* A run has failed: tell the logger's last words of it when the relay has passed on all that it
 * said.  False: there is no relay to be asked. */
bool tty_drain(struct program *program, uint64_t run);

/* Give a client's connection to the relay.  0; or -ENOTCONN: there is none now; or -errno. */
int tty_attach(struct program *program, int client, bool may_type, int64_t from);

/* A program that is to be freed has to wait: its relay, which goes too, may have something for its
 * log.  And the end of a program that may have been that relay. */
bool tty_is_relaying(const struct program *program);
void tty_note_gone(struct engine *engine, const char *name);

/* A slot of a previous engine (HELD_TTY_*). */
void tty_adopt(struct program *program, uint64_t key, int slot);

/* The stanza does not ask for it any more; the instance is gone. */
void tty_release(struct program *program);

/* The methods Attach, of such a program, and Watch (ttycall.c). */
void tty_call_attach(struct call *call, struct program *program, bool may_type);
void tty_call_watch(struct call *call);

#endif
