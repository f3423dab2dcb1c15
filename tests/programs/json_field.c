/* SPDX-License-Identifier: ISC */
/*
 * json_field.c: one value of the JSON on standard input, for lib.bash, which asks many times a
 * second while it waits.
 *
 *   json_field STEP...
 *
 * A number is an index, a word a key; steps may be joined by dots: 0 last_exit.status.  What is
 * below a null is null, and a null is the empty string; a string is printed as it is, anything else
 * as JSON.  Exit status 1: there is no such value, or the input is no JSON.
 */
#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const json_t *walk(const json_t *value, char *steps);
static int print(const json_t *value);

int main(int argc, char **argv)
{
	json_error_t error;
	json_t *root = json_loadf(stdin, JSON_DECODE_ANY, &error);
	const json_t *value = root;
	int status = 1;

	if (root == NULL) {
		fprintf(stderr, "json_field: %s\n", error.text);
		return 1;
	}
	for (int i = 1; i < argc && value != NULL; i++)
		value = walk(value, argv[i]);
	if (value != NULL)
		status = print(value);
	else
		fprintf(stderr, "json_field: no such value\n");
	json_decref(root);
	return status;
}

static const json_t *walk(const json_t *value, char *steps)
{
	char *rest;

	for (char *step = strtok_r(steps, ".", &rest); step != NULL && value != NULL;
	     step = strtok_r(NULL, ".", &rest)) {
		if (json_is_array(value))
			value = isdigit((unsigned char)*step)
				    ? json_array_get(value, strtoul(step, NULL, 10))
				    : NULL;
		else if (!json_is_null(value))
			value = json_object_get(value, step);
	}
	return value;
}

static int print(const json_t *value)
{
	char *text;

	if (json_is_null(value))
		return puts("") < 0;
	if (json_is_string(value))
		return puts(json_string_value(value)) < 0;
	text = json_dumps(value, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
	if (text == NULL)
		return 1;
	puts(text);
	free(text);
	return 0;
}
