/* SPDX-License-Identifier: ISC */
/* instname.c: see instname.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "supervisord/engine/instname.h"

#define FIRST      "@1"
#define NUMBER_MAX (LIMIT_INSTANCES + LIMIT_SURGE)

static void insert(const char *owner, const char *suffix, char ret_name[LIMIT_NAME]);

void instname_split(const char *name, struct instname *ret_parts)
{
	size_t length = instname_program_length(name);

	/* All names come from a ledger row or were checked: they fit. */
	length = length < sizeof(ret_parts->program) ? length : sizeof(ret_parts->program) - 1;
	memcpy(ret_parts->program, name, length);
	ret_parts->program[length] = '\0';
	(void)snprintf(
	    ret_parts->number, sizeof(ret_parts->number), "%u", (unsigned)instname_number(name));
}

size_t instname_program_length(const char *name)
{
	return strcspn(name, "@");
}

uint32_t instname_number(const char *name)
{
	uint32_t number = 0;
	size_t length;

	if (instname_parse(name, strlen(name), &length, &number) < 0 || number == 0)
		return 1;
	return number;
}

bool instname_is_of(const char *name, const char *program)
{
	size_t length = instname_program_length(name);

	return strncmp(name, program, length) == 0 && program[length] == '\0';
}

bool instname_is_meant(const char *name, const char *text)
{
	size_t length = instname_program_length(text);

	return instname_program_length(name) == length && strncmp(name, text, length) == 0 &&
	       (text[length] == '\0' || instname_number(text) == instname_number(name));
}

bool instname_other(const char *name, char ret_other[LIMIT_NAME])
{
	size_t length = strlen(name), stable = instname_stable_length(name);

	if (stable < length) {
		memcpy(ret_other, name, stable);
		ret_other[stable] = '\0';
		return true;
	}
	if (strchr(name, '@') != NULL || length + sizeof(FIRST) > LIMIT_NAME)
		return false;
	memcpy(ret_other, name, length);
	memcpy(ret_other + length, FIRST, sizeof(FIRST));
	return true;
}

size_t instname_stable_length(const char *name)
{
	size_t length = strlen(name), suffix = sizeof(FIRST) - 1;

	return length > suffix && strcmp(name + length - suffix, FIRST) == 0 ? length - suffix
									     : length;
}

void instname_of_filter(const char *owner, char ret_name[LIMIT_NAME])
{
	insert(owner, INSTNAME_FILTER, ret_name);
}

void instname_of_tty(const char *owner, char ret_name[LIMIT_NAME])
{
	insert(owner, INSTNAME_TTY, ret_name);
}

bool instname_owner_of_tty(const char *name, char ret_owner[LIMIT_NAME])
{
	size_t length = instname_program_length(name), suffix = sizeof(INSTNAME_TTY) - 1;

	if (length <= suffix || strncmp(name + length - suffix, INSTNAME_TTY, suffix) != 0)
		return false;
	(void)snprintf(
	    ret_owner, LIMIT_NAME, "%.*s%s", (int)(length - suffix), name, name + length);
	return true;
}

int instname_parse(
    const char *text, size_t length, size_t *ret_program_length, uint32_t *ret_number)
{
	const char *mark = memchr(text, '@', length);
	size_t program = mark != NULL ? (size_t)(mark - text) : length;
	uint32_t number = 0;

	if (mark != NULL) {
		const char *end = text + length;

		for (const char *at = mark + 1; at < end; at++) {
			if (*at < '0' || *at > '9' || number > NUMBER_MAX)
				return -EINVAL;
			number = number * 10 + (uint32_t)(*at - '0');
		}
		/* One way to write a number: no "@03", no "@0". */
		if (mark + 1 == end || mark[1] == '0' || number > NUMBER_MAX)
			return -EINVAL;
	}
	*ret_program_length = program;
	*ret_number = number;
	return 0;
}

/* That it fits was checked where such programs are made. */
static void insert(const char *owner, const char *suffix, char ret_name[LIMIT_NAME])
{
	size_t length = instname_program_length(owner);

	(void)snprintf(
	    ret_name, LIMIT_NAME, "%.*s%s%s", (int)length, owner, suffix, owner + length);
}
