/* SPDX-License-Identifier: ISC */
/*
 * enable.h: superctl enable and disable: whether a program is started with supervisord, as a change
 * of the files (persist.h) that is no more than it needs to be.
 */
#ifndef ENGINE_ENABLE_H
#define ENGINE_ENABLE_H

struct call;

void enable_call(struct call *call);

#endif
