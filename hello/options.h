/* SPDX-License-Identifier: ISC */
/* options.h: the command line of hello(8), parsed and checked.  Starts nothing. */
#ifndef HELLO_OPTIONS_H
#define HELLO_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "hello/address.h"
#include "hello/identity.h"
#include "hello/pool.h"
#include "lib/limits.h"

enum options_act {
	OPTIONS_RUN,
	OPTIONS_HELP,
	OPTIONS_VERSION,
};

struct options {
	enum options_act act;
	unsigned address_count;
	struct address addresses[LIMIT_HELLO_LISTENERS];
	bool has_identity;
	struct identity identity;
	int64_t grace_ns;
	struct pool_settings pool;
};

/* -EINVAL, or -ENOMEM: `error` has one line, what is wrong and what is allowed. */
int options_parse(int argc, char **argv, struct options *ret_options, char *error, size_t size);

void options_print_help(FILE *file);

#endif
