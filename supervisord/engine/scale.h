/* SPDX-License-Identifier: ISC */
/*
 * scale.h: superctl scale: another number of instances until the next apply.
 *
 * It is superctl set of the key instances (setcall.h): an engine that is started anew knows it, and
 * an apply of the files that do not say so takes it back.
 */
#ifndef ENGINE_SCALE_H
#define ENGINE_SCALE_H

struct call;

void scale_call(struct call *call);

#endif
