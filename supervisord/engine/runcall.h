/* SPDX-License-Identifier: ISC */
/* runcall.h: superctl run and forget: programs that are in no file (transient.h); and who waits for
 * the end of a program. */
#ifndef ENGINE_RUNCALL_H
#define ENGINE_RUNCALL_H

struct call;

void runcall_run(struct call *call);
void runcall_forget(struct call *call);
void runcall_wait(struct call *call);

#endif
