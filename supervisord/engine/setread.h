/* SPDX-License-Identifier: ISC */
/*
 * setread.h: what calls that change keys of a program say: which program, keys and values.
 */
#ifndef ENGINE_SETREAD_H
#define ENGINE_SETREAD_H

#include <jansson.h>

#include "supervisord/engine/overridetext.h"

struct call;

/* A program, no instance and no companion, over which the client has the right.  False: answered.
 */
bool setread_is_stanza(struct call *call, const char *name);

/*
 * The parameter `settings`, [{"key": "umask", "value": "077"}, {"key": …, "list": […]}], into a
 * text.  False: answered.
 */
bool setread_settings(struct call *call, const json_t *settings, struct overridetext *text);

/* The key that is called so.  False: answered as the load would say it of a file. */
bool setread_key(
    struct call *call, const char *program, const char *label, enum program_key *ret_key);

#endif
