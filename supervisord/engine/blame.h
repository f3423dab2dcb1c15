/* SPDX-License-Identifier: ISC */
/* blame.h: what the last start of each program took, and the chain of those that made one late: the
 * method Blame. */
#ifndef ENGINE_BLAME_H
#define ENGINE_BLAME_H

struct call;

void blame(struct call *call);

#endif
