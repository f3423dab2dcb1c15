/* SPDX-License-Identifier: ISC */
/* config_errors.h: the list of what is wrong with the configuration (type ConfigError), on stderr.
 */
#ifndef CTL_CONFIG_ERRORS_H
#define CTL_CONFIG_ERRORS_H

#include "ctl/call.h"

/* `errors` is an array in call->reply: one line "file:line: key: message" each, `before` before it.
 * Returns how many. */
size_t config_errors_print(struct call *call, int errors, const char *before);

/* The answer of a check (`parameters` of call->reply): the errors, on stdout as an array with
 * --json, or that there are none.  FAILED when there are; notes are none. */
enum exitcode config_errors_report(struct call *call, int parameters);

#endif
