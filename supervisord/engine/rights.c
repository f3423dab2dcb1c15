/* SPDX-License-Identifier: ISC */
/* rights.c: see rights.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/limits.h"
#include "supervisord/engine/rights.h"

#define FORM   "\"user:NAME RIGHT,... PATTERN ...\" or \"group:NAME RIGHT,... PATTERN ...\""
#define BLANKS " \t\r\n"

/* clang-format off */
#define RIGHT_ROW(name, word, whole) [RIGHT_##name] = {word, whole},
static const struct right_row {
	const char *word;
	bool whole;
} rows[RIGHT_COUNT] = { RIGHTS(RIGHT_ROW) };
#undef RIGHT_ROW

#define RIGHT_WORD(name, word, whole) word " "
static const char all_words[] = RIGHTS(RIGHT_WORD) "and all";
#undef RIGHT_WORD
/* clang-format on */
_Static_assert(RIGHT_COUNT <= 64, "a bit each");

#define BIT(right) (UINT64_C(1) << (right))

static int read_who(struct right_rule *rule, char **at, char **ret_problem);
static int read_rights(struct right_rule *rule, char **at, char **ret_problem);
static int read_patterns(struct right_rule *rule, char **at, char **ret_problem);
static int check_pattern(const char *pattern, char **ret_problem);
static bool is_like_root(enum right right);
static int check_whole(const struct right_rule *rule, char **ret_problem);
static uint64_t find_bits(const char *word);
static char *next_word(char **at, const char *ends);
static bool is_about(const struct right_rule *rule, const struct rights_peer *peer);
static bool has_pattern(const struct right_rule *rule, const char *pattern);
static int problem(char **ret_problem, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

int rights_parse(const char *text, struct right_rule *ret_rule, char **ret_problem)
{
	struct right_rule rule = {0};
	size_t length = strlen(text) + 1, most = length / 2 + 1;
	char *at;
	int error;

	if (length > LIMIT_CONFIG_WORD)
		return problem(ret_problem, "is too long: %s is allowed", FORM);
	/* The pointers first, for their alignment; what `who` points into comes behind them. */
	rule.patterns = malloc(most * sizeof(*rule.patterns) + length);
	if (rule.patterns == NULL)
		return -ENOMEM;
	at = memcpy(rule.patterns + most, text, length);
	error = read_who(&rule, &at, ret_problem);
	if (error == 0)
		error = read_rights(&rule, &at, ret_problem);
	if (error == 0)
		error = read_patterns(&rule, &at, ret_problem);
	if (error == 0)
		error = check_whole(&rule, ret_problem);
	if (error < 0)
		rights_done_rule(&rule);
	else
		*ret_rule = rule;
	return error;
}

void rights_done_rule(struct right_rule *rule)
{
	free(rule->patterns);
	*rule = (struct right_rule){0};
}

void rights_done(struct rights *rights)
{
	for (size_t i = 0; i < rights->count; i++)
		rights_done_rule(&rights->list[i]);
	free(rights->list);
	*rights = (struct rights){0};
}

bool rights_covers(
    const struct rights *rights, const struct rights_peer *peer, enum right right, const char *name)
{
	if (peer->master)
		return true;
	for (size_t i = 0; i < rights->count; i++) {
		const struct right_rule *rule = &rights->list[i];

		if ((rule->rights & BIT(right)) == 0 || !is_about(rule, peer))
			continue;
		for (size_t k = 0; k < rule->count; k++)
			if (strcmp(rule->patterns[k], "*") == 0 ||
			    fnmatch(rule->patterns[k], name, 0) == 0)
				return true;
	}
	return false;
}

bool rights_has(const struct rights *rights, const struct rights_peer *peer, enum right right)
{
	if (right == RIGHT_UNSET)
		return false;
	if (peer->master || right == RIGHT_OPEN)
		return true;
	for (size_t i = 0; i < rights->count; i++) {
		const struct right_rule *rule = &rights->list[i];

		if (!is_about(rule, peer))
			continue;
		if (right == RIGHT_ANY)
			return true;
		if ((rule->rights & BIT(right)) != 0 &&
		    (!rights_is_whole(right) || has_pattern(rule, "*")))
			return true;
	}
	return false;
}

bool rights_is_whole(enum right right)
{
	return rows[right].whole;
}

const char *rights_name(enum right right)
{
	return rows[right].word;
}

bool rights_need_groups(const struct rights *rights)
{
	for (size_t i = 0; i < rights->count; i++)
		if (rights->list[i].is_group)
			return true;
	return false;
}

static bool is_about(const struct right_rule *rule, const struct rights_peer *peer)
{
	if (rule->lost)
		return false;
	if (!rule->is_group)
		return rule->id == peer->uid;
	if (rule->id == peer->gid)
		return true;
	for (size_t i = 0; i < peer->group_count; i++)
		if (rule->id == peer->groups[i])
			return true;
	return false;
}

static bool has_pattern(const struct right_rule *rule, const char *pattern)
{
	for (size_t i = 0; i < rule->count; i++)
		if (strcmp(rule->patterns[i], pattern) == 0)
			return true;
	return false;
}

static int read_who(struct right_rule *rule, char **at, char **ret_problem)
{
	char *word = next_word(at, BLANKS);

	if (word != NULL && strncmp(word, "group:", strlen("group:")) == 0)
		rule->is_group = true;
	else if (word == NULL || strncmp(word, "user:", strlen("user:")) != 0)
		return problem(
		    ret_problem, "does not begin with user: or group:: %s is allowed", FORM);
	rule->who = strchr(word, ':') + 1;
	if (rule->who[0] == '\0')
		return problem(ret_problem, "names nobody behind the ':': %s is allowed", FORM);
	return 0;
}

static int read_rights(struct right_rule *rule, char **at, char **ret_problem)
{
	char *list = next_word(at, BLANKS), *word;

	if (list == NULL)
		return problem(ret_problem, "gives no rights: %s is allowed", FORM);
	/* "status, logs web" would make a pattern of logs. */
	if (list[0] == ',' || list[strlen(list) - 1] == ',' || strstr(list, ",,") != NULL)
		return problem(ret_problem,
		    "'%s' has a ',' with no right beside it: RIGHT,RIGHT without blanks is allowed",
		    list);
	while ((word = next_word(&list, ",")) != NULL) {
		uint64_t bits = find_bits(word);

		if (bits == 0)
			return problem(
			    ret_problem, "'%s' is no right: allowed are %s", word, all_words);
		rule->rights |= bits;
	}
	return 0;
}

static int read_patterns(struct right_rule *rule, char **at, char **ret_problem)
{
	char *word;
	int error = 0;

	while (error == 0 && (word = next_word(at, BLANKS ",")) != NULL) {
		error = check_pattern(word, ret_problem);
		rule->patterns[rule->count++] = word;
	}
	if (error == 0 && rule->count == 0)
		return problem(ret_problem,
		    "does not say over which programs: names or globs such as web* are allowed, or "
		    "* for all");
	return error;
}

/* Of what names are made of, and of what globs are made of: anything else would match nothing, in
 * silence. */
static int check_pattern(const char *pattern, char **ret_problem)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_.-+@*?[]!^";
	size_t good = strspn(pattern, letters);
	const char *open = strchr(pattern, '[');

	if (pattern[good] != '\0')
		return problem(ret_problem,
		    "the pattern '%s' has a character that no name has: names of programs and "
		    "groups are allowed, with *, ? and [...]",
		    pattern);
	while (open != NULL) {
		/* A ']' that comes first stands for itself. */
		const char *first = open + 1 + (open[1] == '!' || open[1] == '^');
		const char *close = *first != '\0' ? strchr(first + 1, ']') : NULL;

		if (close == NULL)
			return problem(ret_problem,
			    "the pattern '%s' has a '[' without its ']': [...] is allowed",
			    pattern);
		open = strchr(close, '[');
	}
	return 0;
}

/* A right over the whole of the daemon that is named, but bound to some programs, gives nothing. */
static int check_whole(const struct right_rule *rule, char **ret_problem)
{
	if (has_pattern(rule, "*") || (rule->rights & find_bits("all")) == find_bits("all"))
		return 0;
	for (int i = 0; i < RIGHT_COUNT; i++)
		if (rows[i].whole && (rule->rights & BIT(i)) != 0)
			return problem(ret_problem,
			    "'%s' is a right over all of supervisord: the pattern * is allowed "
			    "with "
			    "it",
			    rows[i].word);
	return 0;
}

/* Who has it can become the user of the daemon: "all" does not give it, only its own word does. */
static bool is_like_root(enum right right)
{
	return right == RIGHT_SET || right == RIGHT_RUN;
}

/* 0: it is no right. */
static uint64_t find_bits(const char *word)
{
	uint64_t all = 0;

	for (int i = 0; i < RIGHT_COUNT; i++) {
		if (rows[i].word == NULL)
			continue;
		if (strcmp(rows[i].word, word) == 0)
			return BIT(i);
		if (!is_like_root((enum right)i))
			all |= BIT(i);
	}
	return strcmp(word, "all") == 0 ? all : 0;
}

/* Cut out in place; NULL: there is none. */
static char *next_word(char **at, const char *ends)
{
	char *word = *at + strspn(*at, ends), *end = word + strcspn(word, ends);

	*at = end;
	if (end == word)
		return NULL;
	if (*end != '\0')
		*(*at)++ = '\0';
	return word;
}

static int problem(char **ret_problem, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vasprintf(ret_problem, format, arguments);
	va_end(arguments);
	if (length >= 0)
		return -EINVAL;
	*ret_problem = NULL;
	return -ENOMEM;
}
