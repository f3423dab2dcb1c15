/* SPDX-License-Identifier: ISC */
/*
 * api.h: the methods of io.superctl and org.varlink.service.
 *
 * A closed table: name, who may call it, function.  Parameters are checked strictly (an unknown
 * one is an error that names it), programs are resolved before anything is done to the first of
 * them.
 */
#ifndef ENGINE_API_H
#define ENGINE_API_H

#include <stddef.h>

#include "supervisord/engine/rights.h"

struct control_client;

/* One message of a client, NUL-terminated.  Replies, or leaves an op that will. */
void api_dispatch(struct control_client *client, const char *message, size_t length);

/* What a method (by its full name) needs; RIGHT_UNSET: there is no such method. */
enum right api_right(const char *method);

#endif
