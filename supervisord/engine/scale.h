/* SPDX-License-Identifier: ISC */
/*
 * scale.h: superctl scale: another number of instances until the next apply.
 *
 * It is an apply of the configuration that is in force, with that number put into its text: so an
 * engine that is started anew knows it as it knows everything else, and an apply of the files that
 * do not say so takes it back.
 */
#ifndef ENGINE_SCALE_H
#define ENGINE_SCALE_H

struct call;

void scale_call(struct call *call);

#endif
