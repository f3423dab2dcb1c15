/* SPDX-License-Identifier: ISC */
/*
 * ipcmsg.h: a message on an IPC channel as Node's child_process has it: what kind it is, whichever
 * side reads it, and the few answers that the protocol itself asks for.  Pure.
 *
 * A message is one line of JSON.  One whose member "cmd" is a string that begins with "NODE_" and
 * goes on is Node's own, and no application ever sees it.
 */
#ifndef LIB_IPCMSG_H
#define LIB_IPCMSG_H

#include <stdbool.h>

#include "lib/jsonr.h"
#include "lib/jsonw.h"

enum ipcmsg_kind {
	IPCMSG_APPLICATION,   /* of the application, for the application */
	IPCMSG_INTERNAL,      /* Node's own: "cmd" says what */
	IPCMSG_HANDLE,        /* a socket comes with it: an ACK is waited for */
	IPCMSG_CLOSE_SOCKETS, /* ... for the word that sockets of "key" are closed here */
	IPCMSG_COUNT_SOCKETS, /* ... how many are open */
};

/* Of a line that was read; *ret_cmd: its command, "" if it is of the application. */
enum ipcmsg_kind ipcmsg_read(struct jsonr *json, const char **ret_cmd);

/* The member "key" of such a message, "": none. */
const char *ipcmsg_get_key(struct jsonr *json);

/* Does the application say that it is ready: "ready", or an object with "type":"ready". */
bool ipcmsg_is_ready(struct jsonr *json);

/* The answer, a line with its newline: to IPCMSG_HANDLE that it was taken, to the other two that
 * there is none.  Forgets what was in `w`. */
void ipcmsg_answer(struct jsonw *w, enum ipcmsg_kind kind, const char *key);

/* A message without its newline that will not be read to its end begins so: a socket comes with it. */
#define IPCMSG_HANDLE_PREFIX "{\"cmd\":\"NODE_HANDLE\""

#endif
