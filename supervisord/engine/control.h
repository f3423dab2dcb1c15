/* SPDX-License-Identifier: ISC */
/*
 * control.h: the control socket: connections, framing, and who is at the other end.
 *
 * Knows nothing about programs: each complete message goes to api_dispatch(), which answers through
 * control_reply().  A connection is served one call at a time, in order; while a call is being
 * waited for, or a reply is not read, nothing more is done for it.  Every buffer is bounded.  One
 * user cannot keep others out: there are connections for root alone, each other user has a share,
 * and who is silent makes room.
 */
#ifndef ENGINE_CONTROL_H
#define ENGINE_CONTROL_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <bsd/sys/queue.h>

#include "lib/jsonw.h"
#include "lib/varlink.h"
#include "supervisord/engine/timers.h"

struct engine;
struct op;
struct watch;

struct control_client {
	struct engine *engine;
	ev_io reader;
	ev_io writer;
	struct varlink_input input;
	struct varlink_output output;
	struct op *op;       /* the command its present call waits for, or NULL */
	struct watch *watch; /* what it follows (events.h), or NULL */
	char *held;          /* a call that comes again, control_hold(); or NULL */
	size_t held_length;
	bool was_held;       /* it is the present one */
	int64_t active_ns;   /* when something was received or sent last */
	uid_t uid;           /* as it was when it connected, gid too */
	gid_t gid;
	bool more; /* of the present call */
	bool oneway;
	bool large; /* it has had a reply that took much memory */
	bool eof;  /* it will send no more */
	bool dead; /* to be freed at the end of the round */
	bool due;  /* in control.due: something is to be done for it */
	TAILQ_ENTRY(control_client) link;
	TAILQ_ENTRY(control_client) due_link;
};

struct control {
	struct engine *engine;
	int listen_fd; /* borrowed from the slots; -1 before control_start() */
	ev_io acceptor;
	unsigned client_count;
	TAILQ_HEAD(control_clients, control_client) clients;
	TAILQ_HEAD(due_clients, control_client)
	due;                       /* to be looked at in the next round, event or not */
	struct timer accept_timer; /* runs while there is no descriptor to accept with */
};

/*
 * Bind the socket `path` in the caller's directory; nobody but its owner can connect before
 * control_set_owner().  A stale socket is replaced; -EADDRINUSE when somebody answers on it.  Gives
 * the listening descriptor.
 */
int control_bind(const char *path, int *ret_fd);

/*
 * Say who can connect to the socket that `listen_fd` is bound to.  When the group cannot be set,
 * group and others get no permission, and the error is returned.
 */
int control_set_owner(int listen_fd, gid_t gid, mode_t mode);

/* Serve on a listening descriptor (borrowed). */
void control_start(struct control *control, struct engine *engine, int listen_fd);
void control_stop(struct control *control);

/*
 * Send the reply in `w` and its NUL; the writer is reset.  A client that is gone or too slow is
 * marked dead and freed when the loop comes back to it.
 */
void control_reply(struct control_client *client, struct jsonw *w);

/* The call is done: the next round goes on with the next message of this client. */
void control_resume(struct control_client *client);

/* Something has changed that the commands that are being waited for may depend on: the next round
 * looks at each (op_review()). */
void control_wake_ops(struct control *control);

/* There are events that those who follow them were not told of: the next round does. */
void control_wake_watches(struct control *control);

/*
 * Once a round, before its other work: serve the clients that are due, at most `most`.  Returns
 * whether there are more. Not by events fed to the loop: those would run after the round has set
 * the timers.
 */
bool control_run(struct control *control, unsigned most);

/* Put the present call (a message) off: it is done again after control_wake_held(), once.  0 or
 * -ENOMEM. */
int control_hold(struct control_client *client, const char *message, size_t length);
void control_wake_held(struct control *control);

/* Serve on another descriptor (borrowed) from now on; the clients stay. */
void control_replace_listener(struct control *control, int listen_fd);

/*
 * Give the connection itself to somebody else: call `send` with its descriptor; when that returns
 * 0, the connection is closed here.  -EBUSY when replies are still unsent.
 */
int control_hand_over(
    struct control_client *client, int (*send)(void *context, int fd), void *context);

/* Its present call is not over. */
bool control_is_at_work(const struct control_client *client);

/* Not only silent: nobody is there to read an answer.  A socket says so by HUP, see poll(2). */
bool control_is_gone(const struct control_client *client);

/* End the connection of one that was marked dead. */
void control_free_if_dead(struct control_client *client);

/* Write what waits, as far as it goes, and wait at most `timeout_ms` in all: before the engine
 * exits. */
void control_flush(struct control *control, int timeout_ms);

#endif
