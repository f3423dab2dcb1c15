/* SPDX-License-Identifier: ISC */
/*
 * call.h: one Varlink call: its parameters, and the ways to answer it.  Used by the methods in
 * api.c and command.c.
 */
#ifndef ENGINE_CALL_H
#define ENGINE_CALL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/jsonw.h"
#include "supervisord/engine/control.h"
#include "supervisord/engine/rights.h"

#define CALL_INTERFACE "io.superctl"

struct call {
	struct control_client *client;
	struct engine *engine;
	const char *method; /* full name */
	enum right right;   /* that it needs */
	json_t *parameters; /* an object, maybe empty */
	struct jsonw w;     /* the reply that is being written */
};

/*
 * Optional parameters: leave *value alone when there is none (or null).  False: it has the wrong
 * type or range and the call has been answered with InvalidParameter.
 */
bool call_get_bool(struct call *call, const char *name, bool *value);
bool call_get_int(
    struct call *call, const char *name, int64_t minimum, int64_t maximum, int64_t *value);
bool call_get_string(struct call *call, const char *name, const char **value);

/* No parameter but these (a NULL-terminated list) was given; false: answered.  One that is null was
 * not given: a newer client says so of what we do not know. */
bool call_allows(struct call *call, const char *const *names);

/* Write `{"parameters":{` … the caller's members … `}}` and send. */
void call_begin_reply(struct call *call);
void call_end_reply(struct call *call);

/* Errors.  call_error_begin() leaves `parameters` open for members; call_error_end() sends. */
void call_error_begin(struct call *call, const char *error);
void call_error_end(struct call *call);
void call_error_text(struct call *call, const char *error, const char *key, const char *value);
void call_invalid_parameter(struct call *call, const char *name);
void call_out_of_memory(struct call *call);

#endif
