/* SPDX-License-Identifier: ISC */
/* config_errors.h: the list of what is wrong with the configuration (type ConfigError), on stderr.
 */
#ifndef CTL_CONFIG_ERRORS_H
#define CTL_CONFIG_ERRORS_H

#include "ctl/call.h"

/* `errors` is an array in call->reply: one line "file:line: key: message" each.  Returns how many.
 */
size_t config_errors_print(struct call *call, int errors);

/* The answer of a check: the errors, on stdout as an array with --json, or that there are none.
 * FAILED when there are. */
enum exitcode config_errors_report(struct call *call, int errors);

#endif
