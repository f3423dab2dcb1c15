/* SPDX-License-Identifier: ISC */
/* Tests of supervisord/engine/config.h: groups, and what becomes of them in the lists of programs.
 */
#define _GNU_SOURCE
#include "tests/unit/engine/confdir.h"

#include "lib/limits.h"

#define FOUR                                                                                       \
	"program a { command = x }\nprogram b { command = x }\nprogram c { command = x }\n"        \
	"program d { command = x }\n"

/* "a b:ready" */
static const char *list_text(const string_list list)
{
	static char text[1024];
	size_t at = 0;

	text[0] = '\0';
	for (size_t i = 0; list != NULL && list[i] != NULL && at < sizeof(text); i++)
		at += (size_t)snprintf(
		    text + at, sizeof(text) - at, "%s%s", i > 0 ? " " : "", list[i]);
	assert_true(at < sizeof(text));
	return text;
}

static void assert_group(const struct config *config, const char *name, const char *members)
{
	const struct group_config *group = config_find_group(config, name);

	assert_non_null(group);
	assert_string_equal(group->name, name);
	assert_string_equal(list_text(group->members), members);
}

static void test_groups_come_down_to_their_programs(void **state)
{
	struct config *config =
	    confdir_accept("group outer { members = {inner, d, b} }\n" FOUR
			   "group inner { members = {c, b} }\ngroup one { members = a }\n"
			   "group all4 { members = {outer, inner, one} }\n");

	(void)state;
	assert_int_equal(config->group_count, 4);
	assert_string_equal(config->groups[0].name, "all4");
	assert_string_equal(config->groups[3].name, "outer");
	assert_group(config, "all4", "a b c d");
	assert_group(config, "inner", "b c");
	assert_group(config, "one", "a");
	assert_group(config, "outer", "b c d");
	assert_null(config_find_group(config, "a"));
	assert_null(config_find_group(config, "on"));
	assert_null(config_find_group(config, "zzz"));
	assert_null(config_find_program(config, "one"));
	config_free(config);
}

static void test_configuration_without_groups_finds_none(void **state)
{
	struct config *config = confdir_accept(FOUR);

	(void)state;
	assert_int_equal(config->group_count, 0);
	assert_null(config_find_group(config, "a"));
	config_free(config);
}

static void test_name_of_a_group_is_nobody_elses(void **state)
{
	(void)state;
	confdir_write("b.conf", "\ngroup web { members = a }\n\ngroup a { members = b }\n");
	confdir_refuse(FOUR "include = b.conf\ngroup web { members = b }\n"
			    "group \"all\" { members = b }\ngroup \"\" { members = b }\n",
	    "@/main.conf:7: group: the name 'all' has a meaning of its own in commands\n"
	    "@/main.conf:8: group: the name '' is empty\n"
	    "@/b.conf:2: group: 'web' is already defined at @/main.conf:6\n"
	    "@/b.conf:4: group: 'a' is already the name of a program, defined at @/main.conf:1\n");
}

static void test_group_has_members_that_exist(void **state)
{
	(void)state;
	confdir_refuse(FOUR
	    "group e { }\ngroup f {\n members = {}\n}\ngroup g { members = {a, nope,\n "
	    "never} }\ngroup h { members = {a, a} }\ngroup i { member = a }\n",
	    "@/main.conf:5: members: are missing in group 'e': a group needs at least one member\n"
	    "@/main.conf:7: members: are none in group 'f': a group needs at least one member\n"
	    "@/main.conf:9: members: there is no program or group 'nope'\n"
	    "@/main.conf:9: members: there is no program or group 'never'\n"
	    "@/main.conf:11: members: 'a' is given twice\n"
	    "@/main.conf:12: member: unknown key: did you mean 'members'?\n");
}

static void test_member_is_not_missed_where_a_stanza_was_not_understood(void **state)
{
	(void)state;
	confdir_refuse("group g { members = {a} }\nprogram \"a\" { command = \"\\999\" }\n",
	    "@/main.conf:2: bad escape sequence '\\999'\n");
}

static void test_group_in_itself_names_the_path(void **state)
{
	(void)state;
	confdir_refuse(FOUR "group g {\n members = {a, g}\n}\n",
	    "@/main.conf:6: members: g -> g: a group cannot contain itself\n");
	confdir_refuse(FOUR
	    "group g { members = {a, h} }\ngroup h { members = i }\n"
	    "group i { members = {b, g} }\nprogram e { command = x requires = {g} }\n",
	    "@/main.conf:5: members: g -> h -> i -> g: a group cannot contain itself\n");
}

static void test_groups_have_a_depth(void **state)
{
	char text[2048] = "program p { command = x }\n";
	size_t at = strlen(text);

	(void)state;
	for (int i = 0; i < LIMIT_GROUP_DEPTH + 3; i++) {
		if (i == LIMIT_GROUP_DEPTH)
			config_free(confdir_accept(text));
		at += (size_t)snprintf(text + at, sizeof(text) - at, "group g%d { members = ", i);
		at += i == 0 ? (size_t)snprintf(text + at, sizeof(text) - at, "p }\n")
			     : (size_t)snprintf(text + at, sizeof(text) - at, "g%d }\n", i - 1);
	}
	/* Once, though there are two more around it. */
	confdir_refuse(text,
	    "@/main.conf:10: members: are nested too deeply: at most 8 groups may be "
	    "in one another\n");
}

static void test_groups_have_a_limit(void **state)
{
	FILE *file = fopen(confdir_path("main.conf"), "w");

	(void)state;
	assert_non_null(file);
	fputs("program p { command = x after = {g0} }\n", file);
	for (int i = 0; i <= LIMIT_GROUPS; i++)
		fprintf(file, "group g%d { members = p }\n", i);
	fclose(file);
	confdir_expect_errors("@/main.conf: 1025 groups: at most 1024 are allowed\n");
}

/* What a list of a program says at the end. */
static void assert_lists(const char *text, const char *name, const char *after,
    const char *requires, const char *before, const char *conflicts)
{
	struct config *config = confdir_accept(text);
	const struct program_config *program = config_find_program(config, name);

	assert_non_null(program);
	assert_string_equal(list_text(program->key_after), after);
	assert_string_equal(list_text(program->life->key_requires), requires);
	assert_string_equal(list_text(program->life->key_before), before);
	assert_string_equal(list_text(program->life->key_conflicts), conflicts);
	config_free(config);
}

static void test_groups_in_lists_become_their_members(void **state)
{
	(void)state;
	assert_lists(FOUR
	    "group g { members = {a, h} }\ngroup h { members = {b, c} }\n"
	    "group i { members = {j, k} }\nprogram j { command = x autostart = false }\n"
	    "program k { command = x autostart = false }\n"
	    "program e { command = x requires = {\"g:started\", d} after = {d, h} "
	    "conflicts = {i} }\n",
	    "e", "d b c", "a:started b:started c:started d", "", "j k");
	/* Written without a group it stays as it is. */
	assert_lists(FOUR "program e { command = x after = {d, \"b:ready\", a} before = {c} }\n",
	    "e", "d b:ready a", "", "c", "");
}

static void test_program_is_left_out_of_its_own_groups(void **state)
{
	const char *text =
	    "group g { members = {a, b, c} }\n"
	    "program a { command = x after = {\"g:started\"} autostart = false }\n"
	    "program b { command = x conflicts = {g} autostart = false }\n"
	    "program c { command = x before = {g} requires = {h} autostart = false }\n"
	    "group h { members = c }\n";

	(void)state;
	assert_lists(text, "a", "b:started c:started", "", "", "");
	assert_lists(text, "b", "", "", "", "a c");
	assert_lists(text, "c", "", "", "a b", "");
}

static void test_own_name_wins_over_a_group(void **state)
{
	const char *groups = "group g { members = {a, b} }\ngroup h { members = {b, c} }\n";
	char text[1024];

	(void)state;
	snprintf(text, sizeof(text),
	    FOUR "%sprogram e { command = x after = {g, \"a:started\"} requires = {\"b:ready\", "
		 "\"h:started\"} }\n",
	    groups);
	assert_lists(text, "e", "b a:started", "b:ready c:started", "", "");
	/* Of two groups, both conditions hold; the same one is there once. */
	snprintf(text, sizeof(text),
	    FOUR "%sprogram e { command = x after = {\"g:started\", h} requires = {g, h} }\n",
	    groups);
	assert_lists(text, "e", "a:started b:started b c", "a b c", "", "");
}

static void test_lists_of_the_defaults_are_shared_by_those_not_in_them(void **state)
{
	struct config *config =
	    confdir_accept("group g { members = {a, b} }\ndefaults { wants = {g} after = {a} }\n"
			   "program a { command = x wants = {} }\nprogram b { command = x }\n"
			   "program c { command = x }\nprogram d { command = x }\n");
	const struct program_config *const *programs =
	    (const struct program_config *const *)config->programs;

	(void)state;
	assert_string_equal(list_text(programs[0]->life->key_wants), "");
	assert_string_equal(list_text(programs[1]->life->key_wants), "a");
	assert_string_equal(list_text(programs[2]->life->key_wants), "a b");
	/* Also one that is named itself. */
	assert_string_equal(list_text(programs[0]->key_after), "");
	assert_string_equal(list_text(programs[1]->key_after), "a");
	assert_ptr_equal(programs[2]->life, programs[3]->life);
	config_free(config);
}

static void test_too_many_names_by_groups_are_refused(void **state)
{
	FILE *file = fopen(confdir_path("main.conf"), "w");

	(void)state;
	assert_non_null(file);
	fputs("group g { members = {h0, h1, h2, h3, h4, h5, h6, h7} }\n", file);
	for (int i = 0; i < 8; i++) {
		fprintf(file, "group h%d { members = {", i);
		for (int j = 0; j < LIMIT_LIST; j++)
			fprintf(file, "%sp%d", j > 0 ? ", " : "", i * LIMIT_LIST + j);
		fputs("} }\n", file);
	}
	/* 2048 programs, each after all others: four million. */
	for (int i = 0; i < 8 * LIMIT_LIST; i++)
		fprintf(file, "program p%d { command = x after = {g} }\n", i);
	fclose(file);
	confdir_expect_errors(
	    "@/main.conf: too many names in groups and lists of programs: at most "
	    "1048576 are allowed, each group counting as its members\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_groups_come_down_to_their_programs),
	    cmocka_unit_test(test_configuration_without_groups_finds_none),
	    cmocka_unit_test(test_name_of_a_group_is_nobody_elses),
	    cmocka_unit_test(test_group_has_members_that_exist),
	    cmocka_unit_test(test_member_is_not_missed_where_a_stanza_was_not_understood),
	    cmocka_unit_test(test_group_in_itself_names_the_path),
	    cmocka_unit_test(test_groups_have_a_depth),
	    cmocka_unit_test(test_groups_have_a_limit),
	    cmocka_unit_test(test_groups_in_lists_become_their_members),
	    cmocka_unit_test(test_program_is_left_out_of_its_own_groups),
	    cmocka_unit_test(test_own_name_wins_over_a_group),
	    cmocka_unit_test(test_lists_of_the_defaults_are_shared_by_those_not_in_them),
	    cmocka_unit_test(test_too_many_names_by_groups_are_refused),
	};

	return cmocka_run_group_tests(tests, confdir_setup, confdir_teardown);
}
