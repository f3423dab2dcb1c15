/* SPDX-License-Identifier: ISC */
/*
 * body.h: the body of a request, which is skipped: by Content-Length or chunked (RFC 9112 7.1)
 * with extensions and trailers.  The step functions of request.c's table.  Pure.
 */
#ifndef HELLO_BODY_H
#define HELLO_BODY_H

#include "hello/request.h"

/* At the end of the head: the state for the body, or STATE_DONE, or 413. */
void body_begin(struct request *request);

const char *body_step(struct request *request, const char *p, const char *end);
const char *body_step_size(struct request *request, const char *p, const char *end);
const char *body_step_blank(struct request *request, const char *p, const char *end);
const char *body_step_extension(struct request *request, const char *p, const char *end);
const char *body_step_lf(struct request *request, const char *p, const char *end);
const char *body_step_data(struct request *request, const char *p, const char *end);
const char *body_step_end_cr(struct request *request, const char *p, const char *end);
const char *body_step_end_lf(struct request *request, const char *p, const char *end);

#endif
