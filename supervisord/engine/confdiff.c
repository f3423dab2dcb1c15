/* SPDX-License-Identifier: ISC */
/*
 * confdiff.c: what differs between two stanzas, see config_diff_program() in config.h.  One small
 * equality a type; pure.
 */
#include <stdio.h>
#include <string.h>

#include "supervisord/engine/config.h"

static bool equal_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool equal_list(const string_list a, const string_list b)
{
	size_t i = 0;

	/* NULL is the empty list. */
	if (a == b)
		return true;
	if (a == NULL || b == NULL)
		return (a == NULL ? b : a)[0] == NULL;
	while (a[i] != NULL && b[i] != NULL && strcmp(a[i], b[i]) == 0)
		i++;
	return a[i] == b[i];
}

static bool equal_stdio(const struct stdio *a, const struct stdio *b)
{
	return a->kind == b->kind && equal_text(a->target, b->target) &&
	       equal_list(a->targets, b->targets);
}

static bool equal_exits(const struct exit_set *a, const struct exit_set *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static bool equal_check(const struct check *a, const struct check *b)
{
	return a->kind == b->kind && a->fd == b->fd && equal_text(a->target, b->target) &&
	       equal_list(a->words, b->words);
}

static bool equal_on_failure(const struct on_failure *a, const struct on_failure *b)
{
	return a->kind == b->kind && a->delay_ns == b->delay_ns && equal_text(a->name, b->name) &&
	       equal_list(a->words, b->words);
}

static bool equal_steps(const struct stop_sequence *a, const struct stop_sequence *b)
{
	bool equal = a->count == b->count;

	for (uint32_t i = 0; equal && i < a->count; i++)
		equal = a->steps[i].signal == b->steps[i].signal &&
			a->steps[i].wait_ns == b->steps[i].wait_ns;
	return equal;
}

/* A key of the section health is named as it is written there: "health.check". */
static void tell(void (*each)(void *context, const char *key, enum change_class change),
    void *context, const char *key, enum change_class change)
{
	static const char prefix[] = "health_";
	char label[64];

	if (each == NULL)
		return;
	if (strncmp(key, prefix, strlen(prefix)) == 0) {
		snprintf(label, sizeof(label), "health.%s", key + strlen(prefix));
		key = label;
	}
	each(context, key, change);
}

/* clang-format off */
#define EQUAL_STRING(a, b)        equal_text(*(a), *(b))
#define EQUAL_PATH(a, b)          equal_text(*(a), *(b))
#define EQUAL_COMMAND(a, b)       equal_list(*(a), *(b))
#define EQUAL_ENVIRONMENT(a, b)   equal_list(*(a), *(b))
#define EQUAL_NAMES(a, b)         equal_list(*(a), *(b))
#define EQUAL_DEPENDS(a, b)       equal_list(*(a), *(b))
#define EQUAL_EVENTS(a, b)       equal_list(*(a), *(b))
#define EQUAL_BOOL(a, b)          (*(a) == *(b))
#define EQUAL_OCTAL(a, b)         (*(a) == *(b))
#define EQUAL_RESTART(a, b)       (*(a) == *(b))
#define EQUAL_TYPE(a, b)          (*(a) == *(b))
#define EQUAL_BOOT(a, b)          (*(a) == *(b))
#define EQUAL_KILL_MODE(a, b)     (*(a) == *(b))
#define EQUAL_DURATION(a, b)      (*(a) == *(b))
#define EQUAL_SIZE(a, b)          (*(a) == *(b))
#define EQUAL_COUNT(a, b)         (*(a) == *(b))
#define EQUAL_PERCENT(a, b)       (*(a) == *(b))
/* Read from text, never calculated: equal texts are equal numbers. */
#define EQUAL_FACTOR(a, b)        (!(*(a) < *(b)) && !(*(a) > *(b)))
#define EQUAL_SIGNAL(a, b)        (*(a) == *(b))
#define EQUAL_EXITS(a, b)         equal_exits((a), (b))
#define EQUAL_STDIN(a, b)         equal_stdio((a), (b))
#define EQUAL_STDOUT(a, b)        equal_stdio((a), (b))
#define EQUAL_STDERR(a, b)        equal_stdio((a), (b))
#define EQUAL_READY(a, b)         equal_check((a), (b))
#define EQUAL_ON_FAILURE(a, b)    equal_on_failure((a), (b))
#define EQUAL_STEPS(a, b)         equal_steps((a), (b))
#define EQUAL_LOG_ROTATE(a, b)    (*(a) == *(b))
#define EQUAL_LOG_COMPRESS(a, b)  (*(a) == *(b))
#define EQUAL_LOG_FORMAT(a, b)  (*(a) == *(b))
#define EQUAL_LOG_FULL(a, b)  (*(a) == *(b))
#define EQUAL_FACILITY(a, b)  (*(a) == *(b))
#define EQUAL_INHERIT(a, b)  (*(a) == *(b))
#define EQUAL_LOG_FILTER(a, b)  equal_list(*(a), *(b))
/* Of one instance nothing changes when there are more or fewer of them. */
#define EQUAL_INSTANCES(a, b)  true
#define EQUAL_SOCKETS(a, b)     equal_list(*(a), *(b))
#define EQUAL_SOCKET_AS(a, b)   (*(a) == *(b))
#define EQUAL_START(a, b)       (*(a) == *(b))
#define EQUAL_CLUSTER(a, b)     (*(a) == *(b))
#define EQUAL_PATTERNS(a, b)    EQUAL_NAMES(a, b)
#define EQUAL_LISTEN(a, b)      equal_list(*(a), *(b))
#define EQUAL_UPDATE(a, b)     (*(a) == *(b))
#define EQUAL_HEALTH_ACTION(a, b) ((a)->kind == (b)->kind && (a)->signal == (b)->signal)

#define COMPARE(name, type, def, min, max, class, help) \
	if (!EQUAL_##type(&old_config->key_##name, &new_config->key_##name)) { \
		tell(each, context, #name, CHANGE_##class); \
		if (CHANGE_##class > strongest) \
			strongest = CHANGE_##class; \
	}
/* clang-format on */

/* NOLINTNEXTLINE(readability-function-size): one comparison a key, by the X-list */
static enum change_class diff_life(const struct life_config *old_config,
    const struct life_config *new_config,
    void (*each)(void *context, const char *key, enum change_class change), void *context)
{
	enum change_class strongest = CHANGE_NONE;

	if (old_config == new_config)
		return CHANGE_NONE;
	LIFE_KEYS(COMPARE)
	LOG_KEYS(COMPARE)
	return strongest;
}

/* NOLINTNEXTLINE(readability-function-size): likewise */
enum change_class config_diff_program(const struct program_config *old_config,
    const struct program_config *new_config,
    void (*each)(void *context, const char *key, enum change_class change), void *context)
{
	enum change_class strongest = CHANGE_NONE, of_life;

	PROGRAM_KEYS(COMPARE)
	of_life = diff_life(old_config->life, new_config->life, each, context);
	/* The same names, which mean other addresses now. */
	if (old_config->sockets_hash != new_config->sockets_hash &&
	    equal_list(old_config->life->key_sockets, new_config->life->key_sockets)) {
		tell(each, context, "sockets", CHANGE_RESTART);
		strongest = CHANGE_RESTART;
	}
	return of_life > strongest ? of_life : strongest;
}
