/* SPDX-License-Identifier: ISC */
/* program.c: see program.h. */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "ctl/program.h"

enum member_type { MEMBER_TEXT, MEMBER_INT, MEMBER_BOOL, MEMBER_EXIT, MEMBER_LIST };

struct member {
	const char *key;
	enum member_type type;
	size_t offset; /* in struct program; a text, an int64_t or a bool */
};

/* In the order of the wire, so that the search for a key mostly ends at once. */
/* clang-format off */
static const struct member members[] = {
	{"name",         MEMBER_TEXT, offsetof(struct program, name)},
	{"program",      MEMBER_TEXT, offsetof(struct program, program)},
	{"instance",     MEMBER_INT,  offsetof(struct program, instance)},
	{"state",        MEMBER_TEXT, offsetof(struct program, state)},
	{"wanted",       MEMBER_TEXT, offsetof(struct program, wanted)},
	{"pid",          MEMBER_INT,  offsetof(struct program, pid)},
	{"since",        MEMBER_TEXT, offsetof(struct program, since)},
	{"starts",       MEMBER_INT,  offsetof(struct program, starts)},
	{"last_exit",    MEMBER_EXIT, 0},
	{"reason",       MEMBER_TEXT, offsetof(struct program, reason)},
	{"status_text",  MEMBER_TEXT, offsetof(struct program, status_text)},
	{"ready",        MEMBER_BOOL, offsetof(struct program, ready)},
	{"health",       MEMBER_TEXT, offsetof(struct program, health)},
	{"tracking",     MEMBER_TEXT, offsetof(struct program, tracking)},
	{"max_connections", MEMBER_INT, offsetof(struct program, max_connections)},
	{"peer",         MEMBER_TEXT, offsetof(struct program, peer)},
	{"files_differ", MEMBER_BOOL, offsetof(struct program, files_differ)},
	{"pending",      MEMBER_LIST, 0},
	{"reloading",    MEMBER_BOOL, offsetof(struct program, reloading)},
	{"on_event",     MEMBER_BOOL, offsetof(struct program, on_event)},
	{"transient",    MEMBER_BOOL, offsetof(struct program, transient)},
	{"missed_events", MEMBER_INT, offsetof(struct program, missed_events)},
	{"memory_bytes", MEMBER_INT,  offsetof(struct program, memory_bytes)},
	{"cpu_ms",       MEMBER_INT,  offsetof(struct program, cpu_ms)},
};
/* clang-format on */
#define MEMBER_COUNT (sizeof(members) / sizeof(members[0]))

static const struct member *find_member(const char *key, size_t first);
static void read_member(
    struct jsonr *json, int value, const struct member *member, struct program *program);

int program_read(struct jsonr *json, int record, struct program *ret_program)
{
	struct program program = {.name = "",
	    .program = "",
	    .state = "",
	    .wanted = "",
	    .since = "",
	    .reason = "",
	    .status_text = "",
	    .health = "",
	    .tracking = "",
	    .peer = "",
	    .exit_status = -1,
	    .pending = -1,
	    .missed_events = -1,
	    .memory_bytes = -1,
	    .cpu_ms = -1};
	size_t expected = 0;

	if (!jsonr_is(json, record, JSONR_OBJECT))
		return -EBADMSG;
	for (int at = jsonr_first(json, record); at >= 0; at = jsonr_next(json, record, at)) {
		const struct member *member = find_member(jsonr_text(json, at, ""), expected);

		if (member == NULL)
			continue;
		expected = (size_t)(member - members) + 1;
		read_member(json, at + 1, member, &program);
	}
	if (program.name[0] == '\0' || program.state[0] == '\0')
		return -EBADMSG;
	*ret_program = program;
	return 0;
}

bool program_is_running(const struct program *program)
{
	return strcmp(program->state, "RUNNING") == 0 || strcmp(program->state, "STARTING") == 0;
}

bool program_is_unhealthy(const struct program *program)
{
	return strcmp(program->health, "bad") == 0 && program_is_running(program);
}

enum out_style program_style(const struct program *program)
{
	if (strcmp(program->state, "RUNNING") == 0)
		return program_is_unhealthy(program) ? OUT_RED : OUT_GREEN;
	if (strcmp(program->state, "FATAL") == 0)
		return OUT_RED;
	if (strcmp(program->state, "STOPPED") == 0 || strcmp(program->state, "EXITED") == 0)
		return OUT_DIM;
	return OUT_YELLOW;
}

/* The search begins where the wire's order expects the key and goes round once. */
static const struct member *find_member(const char *key, size_t first)
{
	for (size_t i = 0; i < MEMBER_COUNT; i++) {
		const struct member *member = &members[(first + i) % MEMBER_COUNT];

		if (strcmp(member->key, key) == 0)
			return member;
	}
	return NULL;
}

static void read_member(
    struct jsonr *json, int value, const struct member *member, struct program *program)
{
	char *place = (char *)program + member->offset;

	switch (member->type) {
	case MEMBER_TEXT:
		*(const char **)(void *)place =
		    jsonr_text(json, value, *(const char **)(void *)place);
		break;
	case MEMBER_INT:
		*(int64_t *)(void *)place = jsonr_int(json, value, *(int64_t *)(void *)place);
		break;
	case MEMBER_BOOL:
		*(bool *)place = jsonr_bool(json, value, false);
		break;
	case MEMBER_LIST:
		program->pending = value;
		break;
	case MEMBER_EXIT:
		program->exit_status = jsonr_int(json, jsonr_member(json, value, "status"), -1);
		program->exit_signal = jsonr_text(json, jsonr_member(json, value, "signal"), NULL);
		break;
	}
}
