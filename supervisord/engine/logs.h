/* SPDX-License-Identifier: ISC */
/*
 * logs.h: the methods of io.superctl that are about logs.  The engine only finds out which log is
 * meant; the logger answers on the connection itself, which is passed to it.
 */
#ifndef ENGINE_LOGS_H
#define ENGINE_LOGS_H

struct call;

void logs_read(struct call *call);   /* Logs */
void logs_rotate(struct call *call); /* RotateLogs */
void logs_reopen(struct call *call); /* ReopenLogs */
void logs_clear(struct call *call);  /* ClearLogs */

#endif
