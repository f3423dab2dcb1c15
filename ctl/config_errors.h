/* SPDX-License-Identifier: ISC */
/* config_errors.h: the list of what is wrong with the configuration (type ConfigError), on stderr.
 */
#ifndef CTL_CONFIG_ERRORS_H
#define CTL_CONFIG_ERRORS_H

#include "ctl/call.h"

/* `errors` is an array in call->reply: one line "file:line: key: message" each.  Returns how many.
 */
size_t config_errors_print(struct call *call, int errors);

#endif
