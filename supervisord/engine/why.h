/* SPDX-License-Identifier: ISC */
/*
 * why.h: how a program came to be as it is: the method Why.
 *
 * The events of the program back to where somebody wanted something, what it waits for now, and the
 * same of the program that it waits for.  All of it is read off the ledger and the history; this is
 * the place where both become advice.
 */
#ifndef ENGINE_WHY_H
#define ENGINE_WHY_H

struct call;

void why(struct call *call);

#endif
