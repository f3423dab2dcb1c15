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

#include <jansson.h>

#include "supervisord/engine/overridetext.h"

struct call;

void setcall_set(struct call *call);
void setcall_unset(struct call *call);
void setcall_show(struct call *call);

/*
 * The parameter `settings`, [{"key": "umask", "value": "077"}, {"key": …, "list": […]}], into a
 * text; its keys are noted as changed by the client.  False: answered.
 */
bool setcall_read_settings(struct call *call, const json_t *settings, struct overridetext *text);

#endif
