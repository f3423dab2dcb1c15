/* SPDX-License-Identifier: ISC */
/*
 * setcall.h: superctl set and unset: other values for keys of a program until the next apply, and
 * what is overridden.
 *
 * What is set stands in the applied text as a section override (overridetext.h) in a source of its
 * own, one a program; an apply of the files does not have it, and so ends it.
 */
#ifndef ENGINE_SETCALL_H
#define ENGINE_SETCALL_H

struct call;

void setcall_set(struct call *call);
void setcall_unset(struct call *call);
void setcall_show(struct call *call); /* setshow.c */

#endif
