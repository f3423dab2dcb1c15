/* SPDX-License-Identifier: ISC */
/*
 * call.h: one method call of io.superctl and its replies.
 *
 * A call that changes nothing is made again, for two seconds, when the connection is lost before
 * the first reply: the guardian holds the socket while it restarts the engine.  A command is never
 * sent twice: nobody knows whether it was done.
 */
#ifndef CTL_CALL_H
#define CTL_CALL_H

#include "ctl/ctl.h"
#include "lib/jsonr.h"
#include "lib/jsonw.h"

struct call {
	struct ctl *ctl;
	struct jsonw request; /* begun by call_init(), ended by call_run() */
	struct jsonr reply;
	bool read_only; /* may be made again */
	const char
	    *goes_on; /* not NULL: SIGINT ends the waiting, and this is said of what goes on */
	int64_t deadline_ns;   /* of the whole call, CLOCK_BOOTTIME; 0: none */
	bool ends_with_peer;   /* the end of the connection after a reply is the end of the call */
	bool ends_with_output; /* end when nobody reads stdout any more */
	bool told_silence;     /* that nothing was heard */
	int signal_fd;         /* SIGINT while it waits; -1: none */
	/* Each reply; `parameters` is an object in `call->reply`.  Not OK ends the call with that
	 * code. */
	enum exitcode (*on_reply)(struct call *call, int parameters, void *context);
	/* An error reply; NULL: call_explain_error(). */
	enum exitcode (*on_error)(
	    struct call *call, const char *name, int parameters, void *context);
	void *context;
	char told[256]; /* the last result of many that are alike, see result.c */
};

/* It reads; and with `follow` it goes on until nobody reads any more, or the service has gone, and
 * may be asked again from where it was. */
void call_set_follow(struct call *call, bool follow);

/*
 * Begin the call of `method` ("Status"): the members of its parameters may be written to
 * call->request. `more`: several replies are welcome.
 */
void call_init(struct call *call, struct ctl *ctl, const char *method, bool more);
void call_done(struct call *call);

/* The request is complete, with its NUL; for who sends it otherwise than by call_run(). */
void call_end_request(struct call *call);

/* The member `names`: the arguments of the command line from `first` on. */
void call_add_names(struct call *call, size_t first);

/* The members `wait`, `timeout_ms` and `force`, from the options. */
void call_add_wait(struct call *call);

/* Wait as the options say: SIGINT ends it saying that `what` goes on, and --timeout with some
 * `grace_ms`. */
void call_set_wait(struct call *call, const char *what, int grace_ms);

/* Connect, send, and hand over the replies.  What goes wrong is told to the user. */
enum exitcode call_run(struct call *call);

/* As call_run(), and give the connection, which is open, in `*ret_fd` (-1: none). */
enum exitcode call_run_keep(struct call *call, int *ret_fd);

/*
 * Wait until `fd` (-1: none) has one of the poll(2) `events`, or `at_most_ms` (-1: no bound) have
 * passed. Returns OK; or FAILED past the deadline and INTERRUPTED by SIGINT, and then the user was
 * told; or INTERRUPTED by ctl->enough_fd.
 */
enum exitcode call_wait(struct call *call, int fd, short events, int at_most_ms);

/* Tell the user of an error reply; the exit code that belongs to it.  (explain.c) */
enum exitcode call_explain_error(struct call *call, const char *name, int parameters);

#endif
