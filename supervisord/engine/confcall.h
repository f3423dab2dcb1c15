/* SPDX-License-Identifier: ISC */
/*
 * confcall.h: the methods that are about the configuration: what is wrong with the files, what an
 * apply of them would do, and the apply.
 */
#ifndef ENGINE_CONFCALL_H
#define ENGINE_CONFCALL_H

struct call;

void confcall_check(struct call *call);
void confcall_plan(struct call *call);
void confcall_apply(struct call *call);

#endif
