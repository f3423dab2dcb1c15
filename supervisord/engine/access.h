/* SPDX-License-Identifier: ISC */
/*
 * access.h: what the client of a call may do: the rules (rights.h) put to the process that asks.
 *
 * Who that is comes from the kernel, as it was when the client connected: SO_PEERCRED, and for
 * rules about groups SO_PEERGROUPS, which gives all groups of the process itself.  Neither a pid
 * (it may be another's by now) nor the group database (it may say other things than the process
 * has, and may not answer at all) is asked.
 *
 * A client learns nothing of what it may not touch: a name that is not covered is refused with the
 * same words whether it exists or not, and globs, `all` and suggestions are made of what it may
 * see.
 */
#ifndef ENGINE_ACCESS_H
#define ENGINE_ACCESS_H

#include <stdbool.h>

#include "supervisord/engine/rights.h"

struct call;
struct control_client;
struct engine;
struct program;

/* The programs that a right of a client covers: by their names, and by those of their groups. */
struct access {
	bool all;
	bool *rows; /* by row; NULL: all of them, or none */
};

/* Root and the user that we run as. */
bool access_is_master(uid_t uid);

/* May the client call a method that needs this right, over whatever it is? */
bool access_may_call(const struct control_client *client, enum right right);

/* 0 or -ENOMEM, then it covers nothing; access_done() is due in both cases. */
int access_init(struct access *access, const struct control_client *client, enum right right);
void access_done(struct access *access);
bool access_has(const struct access *access, const struct program *program);

/* The same for one program, or for a name that may be no program's. */
bool access_may(
    const struct control_client *client, enum right right, const struct program *program);
bool access_may_name(const struct control_client *client, enum right right, const char *name);

/* Answer NotAllowed; `name`: of what, or NULL. */
void access_refuse(struct call *call, enum right right, const char *name);

/* Another configuration is in force: who may connect, and rules that are about nobody. */
void access_take_config(const struct engine *engine);

#endif
