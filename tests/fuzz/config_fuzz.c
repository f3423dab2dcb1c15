/* SPDX-License-Identifier: ISC */
/*
 * config_fuzz.c: libFuzzer target: any bytes as the text of a configuration file, through guard,
 * libconfuse and the reading of each value, and then as the whole of a configuration.
 *
 * Compiled with the sources that targets.mk names, clang -fsanitize=fuzzer,address,undefined, and
 * libconfuse and libbsd.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisord/engine/confsource.h"
#include "supervisord/engine/parse.h"
#include "supervisord/engine/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The largest member. */
union member {
	struct stop_sequence steps;
	struct exit_set exits;
	struct check check;
	struct on_failure on_failure;
};

static void print_value(const struct key_row *row, const void *value)
{
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	if (file == NULL)
		abort();
	value_write(row, value, file);
	if (fclose(file) != 0)
		abort();
	free(text);
}

static int read_values(void *context, const struct stanza *stanza)
{
	size_t row_count;
	const struct key_row *rows = parse_rows(stanza->kind, &row_count);

	(void)context;
	for (size_t i = 0; i < stanza->count; i++) {
		const struct stanza_entry *entry = &stanza->entries[i];
		struct value_input input = {.row = &rows[entry->key],
		    .items = entry->items,
		    .count = entry->count,
		    .list = entry->list};
		union member value = {0};
		char *problem = NULL;

		if (entry->key >= row_count || input.row->size > sizeof(value))
			abort();
		if (value_parse(&input, &value, &problem) == 0) {
			print_value(input.row, &value);
			value_done(input.row, &value, NULL);
		} else if (problem == NULL) {
			abort();
		}
		free(problem);
	}
	return 0;
}

/* What a new engine would do with it. */
static void load(const uint8_t *data, size_t size)
{
	struct config_source source = {.path = (char[]){"/fuzz"}, .length = size};
	struct config_errors errors = {0};
	struct config *config = NULL;
	int fd, error;

	source.text = malloc(size + 1);
	if (source.text == NULL)
		abort();
	memcpy(source.text, data, size);
	if (confsource_write(&source, 1, &fd) < 0)
		abort();
	error = config_load_applied(fd, &config, &errors);
	if ((error == 0) != (errors.count == 0))
		abort();
	config_free(config);
	config_errors_done(&errors);
	close(fd);
	free(source.text);
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
	load(data, size);
	return 0;
}
