/* SPDX-License-Identifier: ISC */
/*
 * keys.h: the keys of the configuration, as this superctl was built with: a copy of the engine's
 * table that the build makes (man/keys.c), because ctl/ includes nothing of the engine.
 */
#ifndef CTL_KEYS_H
#define CTL_KEYS_H

#include <stddef.h>

struct key {
	const char *stanza; /* program, group, settings (of supervisord) */
	const char *name;   /* "restart", "health.check" */
	const char *takes;  /* what is allowed, in words */
	const char *def;    /* NULL: unset */
	const char *change; /* when a change takes effect: live, next-start, restart */
	const char *help;
};

extern const struct key keys_table[];
extern const size_t keys_count;

/* The first key of this name at or after `from`, or NULL. */
const struct key *keys_find(const char *name, const struct key *from);

/* The name of a key that may have been meant, or NULL. */
const char *keys_nearest(const char *name);

#endif
