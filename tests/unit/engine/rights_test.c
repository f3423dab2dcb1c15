/* SPDX-License-Identifier: ISC */
/* Tests of supervisord/engine/rights.h: what a rule may say, and who may then do what. */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/limits.h"
#include "supervisord/engine/rights.h"

#define FORM                                                                                       \
	"\"user:NAME RIGHT,... PATTERN ...\" or \"group:NAME RIGHT,... PATTERN ...\" is allowed"
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void assert_refused(const char *text, const char *wanted)
{
	struct right_rule rule = {0};
	char *problem = NULL;

	assert_int_equal(rights_parse(text, &rule, &problem), -EINVAL);
	assert_non_null(problem);
	assert_string_equal(problem, wanted);
	assert_null(rule.patterns);
	free(problem);
}

/* Behind `begin` come the words of all rights. */
static void assert_lists_rights(const char *text, const char *begin)
{
	struct right_rule rule = {0};
	char *problem = NULL, *at;

	assert_int_equal(rights_parse(text, &rule, &problem), -EINVAL);
	assert_non_null(problem);
	assert_memory_equal(problem, begin, strlen(begin));
	at = problem + strlen(begin);
	for (int i = 0; i < RIGHT_COUNT; i++) {
		const char *word = rights_name((enum right)i);

		if (word == NULL)
			continue;
		assert_memory_equal(at, word, strlen(word));
		at += strlen(word);
		assert_int_equal(*at++, ' ');
	}
	assert_string_equal(at, "and all");
	free(problem);
}

static struct right_rule parse(const char *text)
{
	struct right_rule rule = {0};
	char *problem = NULL;
	int error = rights_parse(text, &rule, &problem);

	if (error < 0)
		fail_msg("%s: %s", text, problem != NULL ? problem : "?");
	return rule;
}

static void test_rule_is_read_in_its_three_parts(void **state)
{
	struct right_rule rule =
	    parse("  group:de-ploy \t status,logs,stop  web* db,cache-[0-9]\n");

	(void)state;
	assert_true(rule.is_group);
	assert_false(rule.lost);
	assert_string_equal(rule.who, "de-ploy");
	assert_int_equal(
	    rule.rights, 1ULL << RIGHT_STATUS | 1ULL << RIGHT_LOGS | 1ULL << RIGHT_STOP);
	assert_int_equal(rule.count, 3);
	assert_string_equal(rule.patterns[0], "web*");
	assert_string_equal(rule.patterns[1], "db");
	assert_string_equal(rule.patterns[2], "cache-[0-9]");
	rights_done_rule(&rule);

	rule = parse("user:1000 all *");
	assert_false(rule.is_group);
	assert_string_equal(rule.who, "1000");
	/* But what makes one as powerful as the daemon's user. */
	for (int i = 0; i < RIGHT_COUNT; i++)
		assert_int_equal((rule.rights >> i) & 1,
		    rights_name((enum right)i) != NULL && i != RIGHT_SET && i != RIGHT_RUN ? 1 : 0);
	rights_done_rule(&rule);

	rule = parse("user:1000 all,set web");
	assert_int_equal(rule.rights >> RIGHT_SET & 1, 1);
	rights_done_rule(&rule);
}

static void test_wrong_rule_says_what_is_allowed(void **state)
{
	char *longer;

	(void)state;
	assert_refused("", "does not begin with user: or group:: " FORM);
	assert_refused("alice status *", "does not begin with user: or group:: " FORM);
	assert_refused("users:alice status *", "does not begin with user: or group:: " FORM);
	assert_refused("user: status *", "names nobody behind the ':': " FORM);
	assert_refused("user:alice", "gives no rights: " FORM);
	assert_refused("user:alice status",
	    "does not say over which programs: names or globs such as web* are allowed, or * for "
	    "all");
	assert_lists_rights("user:alice status,kill web", "'kill' is no right: allowed are ");
	assert_lists_rights("user:alice * web", "'*' is no right: allowed are ");
	assert_refused("user:alice status, logs web",
	    "'status,' has a ',' with no right beside it: RIGHT,RIGHT without blanks is allowed");
	assert_refused("user:alice ,logs web",
	    "',logs' has a ',' with no right beside it: RIGHT,RIGHT without blanks is allowed");
	assert_refused("user:alice stop we/b",
	    "the pattern 'we/b' has a character that no name has: names of programs and groups are "
	    "allowed, with *, ? and [...]");
	assert_refused("user:alice stop web db[1 x",
	    "the pattern 'db[1' has a '[' without its ']': [...] is allowed");
	assert_refused(
	    "user:alice stop []", "the pattern '[]' has a '[' without its ']': [...] is allowed");
	assert_refused("user:alice stop,apply web*",
	    "'apply' is a right over all of supervisord: the pattern * is allowed with it");

	longer = malloc(LIMIT_CONFIG_WORD + 1);
	assert_non_null(longer);
	memset(longer, 'x', LIMIT_CONFIG_WORD);
	longer[LIMIT_CONFIG_WORD] = '\0';
	assert_refused(longer, "is too long: " FORM);
	free(longer);
}

/* ---- who may do what ---- */

enum { ALICE = 1000, BOB, CAROL, DEPLOY = 500, STAFF, OTHERS };

static const struct {
	const char *text;
	uint32_t id;
	bool lost;
} rules[] = {
    {"user:alice status,logs *", ALICE, false},
    {"user:alice restart db", ALICE, false},
    {"group:deploy start,stop,restart web* workers", DEPLOY, false},
    {"group:staff all cache-[0-9]", STAFF, false},
    {"user:bob shutdown,check *", BOB, false},
    {"user:gone all *", CAROL, true},
};

static const gid_t in_deploy[] = {7, DEPLOY};
static const struct person {
	const char *name;
	struct rights_peer peer;
} people[] = {
    {"root", {.master = true, .uid = 0}},
    {"alice", {.uid = ALICE, .gid = OTHERS}},
    /* By its own group, and by another one it is in. */
    {"bob", {.uid = BOB, .gid = STAFF}},
    {"deployer", {.uid = 77, .gid = OTHERS, .group_count = 2, .groups = in_deploy}},
    {"carol", {.uid = CAROL, .gid = OTHERS}},
    {"nobody", {.uid = 65534, .gid = 65534}},
};

static const char *const things[] = {"web1", "db", "cache-3", "cachet", "workers", "supervisord"};

/* Written by hand, rule by rule; the code is not asked. */
static bool is_given(const char *who, enum right right, const char *thing)
{
	if (strcmp(who, "root") == 0)
		return true;
	if (strcmp(who, "alice") == 0)
		return right == RIGHT_STATUS || right == RIGHT_LOGS ||
		       (right == RIGHT_RESTART && strcmp(thing, "db") == 0);
	if (strcmp(who, "deployer") == 0)
		return (right == RIGHT_START || right == RIGHT_STOP || right == RIGHT_RESTART) &&
		       (strcmp(thing, "web1") == 0 || strcmp(thing, "workers") == 0);
	if (strcmp(who, "bob") == 0)
		return (strcmp(thing, "cache-3") == 0 && right != RIGHT_SET &&
			   right != RIGHT_RUN) ||
		       right == RIGHT_SHUTDOWN || right == RIGHT_CHECK;
	return false;
}

static struct rights load(void)
{
	struct rights rights = {.list = calloc(COUNT(rules), sizeof(*rights.list))};

	assert_non_null(rights.list);
	for (size_t i = 0; i < COUNT(rules); i++) {
		rights.list[i] = parse(rules[i].text);
		rights.list[i].id = rules[i].id;
		rights.list[i].lost = rules[i].lost;
		rights.count++;
	}
	return rights;
}

static void test_each_person_right_and_thing_is_as_the_rules_say(void **state)
{
	struct rights rights = load();
	size_t given = 0;

	(void)state;
	for (size_t p = 0; p < COUNT(people); p++)
		for (int right = RIGHT_STATUS; right < RIGHT_COUNT; right++)
			for (size_t t = 0; t < COUNT(things); t++) {
				bool wanted =
				    is_given(people[p].name, (enum right)right, things[t]);

				given += wanted;
				if (rights_covers(&rights, &people[p].peer, (enum right)right,
					things[t]) != wanted)
					fail_msg("%s %s %s should be %d", people[p].name,
					    rights_name((enum right)right), things[t], wanted);
			}
	assert_true(given > (RIGHT_COUNT - RIGHT_STATUS) * COUNT(things)); /* not only root's */
	rights_done(&rights);
}

static void test_right_over_the_daemon_needs_a_rule_for_all(void **state)
{
	struct rights rights = load();

	(void)state;
	for (size_t p = 0; p < COUNT(people); p++) {
		const struct rights_peer *peer = &people[p].peer;
		bool is_root = p == 0, is_bob = strcmp(people[p].name, "bob") == 0;

		assert_int_equal(rights_has(&rights, peer, RIGHT_SHUTDOWN), is_root || is_bob);
		/* "all cache-[0-9]" is about some programs only. */
		assert_int_equal(rights_has(&rights, peer, RIGHT_APPLY), is_root);
		assert_int_equal(rights_has(&rights, peer, RIGHT_PLAN), is_root);
		assert_int_equal(rights_has(&rights, peer, RIGHT_ANY), p < 4);
		assert_true(rights_has(&rights, peer, RIGHT_OPEN));
		assert_false(rights_has(&rights, peer, RIGHT_UNSET));
	}
	rights_done(&rights);
}

static void test_without_rules_only_masters_have_rights(void **state)
{
	const struct rights none = {0};

	(void)state;
	for (size_t p = 0; p < COUNT(people); p++) {
		assert_int_equal(rights_has(&none, &people[p].peer, RIGHT_ANY), p == 0);
		assert_int_equal(
		    rights_covers(&none, &people[p].peer, RIGHT_STATUS, "web"), p == 0);
	}
	assert_false(rights_need_groups(&none));
}

static void test_groups_matter_where_a_rule_is_about_one(void **state)
{
	struct rights rights = load();

	(void)state;
	assert_true(rights_need_groups(&rights));
	rights_done(&rights);
	rights.list = calloc(1, sizeof(*rights.list));
	assert_non_null(rights.list);
	rights.list[0] = parse("user:alice status *");
	rights.count = 1;
	assert_false(rights_need_groups(&rights));
	rights_done(&rights);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rule_is_read_in_its_three_parts),
	    cmocka_unit_test(test_wrong_rule_says_what_is_allowed),
	    cmocka_unit_test(test_each_person_right_and_thing_is_as_the_rules_say),
	    cmocka_unit_test(test_right_over_the_daemon_needs_a_rule_for_all),
	    cmocka_unit_test(test_without_rules_only_masters_have_rights),
	    cmocka_unit_test(test_groups_matter_where_a_rule_is_about_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
