/* SPDX-License-Identifier: ISC */
/*
 * config_fuzz.c: libFuzzer target: any bytes as the text of a configuration file, through guard,
 * libconfuse and the reading of each value.
 *
 * Links the objects of lib/ and of supervisord/engine/: conf*, expand, keytable, parse, value* and
 * words, compiled with clang -fsanitize=fuzzer,address,undefined, and libconfuse and libbsd.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "supervisord/engine/parse.h"
#include "supervisord/engine/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The largest member. */
union member {
	char bytes[64];
	void *align;
};

static int read_values(void *context, const struct stanza *stanza)
{
	const struct key_row *rows = stanza->kind == STANZA_SETTING ? setting_rows : program_rows;

	(void)context;
	for (size_t i = 0; i < stanza->count; i++) {
		const struct stanza_entry *entry = &stanza->entries[i];
		struct value_input input = {.row = &rows[entry->key],
		    .items = entry->items,
		    .count = entry->count,
		    .list = entry->list};
		union member value = {{0}};
		char *problem = NULL;

		if (input.row->size > sizeof(value))
			abort();
		if (value_parse(&input, &value, &problem) == 0) {
			value_done(input.row, &value, NULL);
		} else if (problem == NULL) {
			abort();
		}
		free(problem);
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config_errors errors = {0};
	struct confreport report = {.errors = &errors};
	struct parse_result result = {0};

	parse_text("fuzz", (const char *)data, size, &report, read_values, NULL, &result);
	/* What could not be given has been told. */
	if (!result.complete && errors.count == 0)
		abort();
	config_errors_done(&errors);
	return 0;
}
