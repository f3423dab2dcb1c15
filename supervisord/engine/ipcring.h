/* SPDX-License-Identifier: ISC */
/*
 * ipcring.h: the last messages of a program, in memory that outlives the engine.
 *
 * A text of records, "NUMBER NANOSECONDS JSON\n" each, that goes round; numbers count the messages
 * of the instance from 1.  A message is there when the total has been stored, after its bytes, so
 * one that was being written when the engine was killed is not there, and is written again.  Pure.
 */
#ifndef ENGINE_IPCRING_H
#define ENGINE_IPCRING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/limits.h"

/* In shared memory; all zero is an empty one. */
struct ipcring {
	_Atomic uint64_t total;   /* bytes ever written */
	_Atomic uint64_t numbers; /* of the last message */
	char bytes[LIMIT_IPC_RING];
};

struct ipcring_message {
	uint64_t number;
	int64_t wall_ns;
	const char *text; /* in the buffer of the caller */
	size_t length;
};

/* Append a message; returns its number. */
uint64_t ipcring_add(struct ipcring *ring, int64_t wall_ns, const char *text, size_t length);

/*
 * Copy what is there, oldest first, into `buffer` of LIMIT_IPC_RING bytes; returns how much.  Then
 * take one message after the other from it.
 */
size_t ipcring_copy(const struct ipcring *ring, char *buffer);
bool ipcring_next(
    const char *buffer, size_t length, size_t *at, struct ipcring_message *ret_message);

#endif
