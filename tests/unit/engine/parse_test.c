/* SPDX-License-Identifier: ISC */
/*
 * Tests of supervisord/engine/parse.h: what comes out of libconfuse behind the guard, and its
 * pitfalls, each of which was seen to do harm without the guard.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "supervisord/engine/parse.h"

struct seen {
	char stanzas[4096];
	char errors[4096];
	bool complete;
};

static void append(char *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void append(char *buffer, const char *format, ...)
{
	size_t at = strlen(buffer);
	va_list arguments;

	va_start(arguments, format);
	at += (size_t)vsnprintf(buffer + at, 4096 - at, format, arguments);
	va_end(arguments);
	assert_true(at < 4096);
}

/* "program web:5 command:6=<a><b> list user:7=<root>\n" */
static int see(void *context, const struct stanza *stanza)
{
	struct seen *seen = context;
	char label[KEYTABLE_LABEL];
	size_t row_count;
	const struct key_row *rows = parse_rows(stanza->kind, &row_count);

	if (stanza->kind == STANZA_PROGRAM)
		append(seen->stanzas, "program %s:%d", stanza->title, stanza->line);
	else if (stanza->kind == STANZA_GROUP)
		append(seen->stanzas, "group %s:%d", stanza->title, stanza->line);
	else if (stanza->kind == STANZA_CONTROL)
		append(seen->stanzas, "control:%d", stanza->line);
	else if (stanza->kind == STANZA_DEFAULTS)
		append(seen->stanzas, "defaults:%d", stanza->line);
	else
		append(seen->stanzas, "setting");
	for (size_t i = 0; i < stanza->count; i++) {
		const struct stanza_entry *entry = &stanza->entries[i];

		assert_true(entry->key < row_count);
		append(seen->stanzas, " %s:%d=", keytable_label(&rows[entry->key], label),
		    entry->line);
		for (size_t j = 0; j < entry->count; j++)
			append(seen->stanzas, "<%s>", entry->items[j]);
		if (entry->list)
			append(seen->stanzas, " list");
	}
	append(seen->stanzas, "%s\n", stanza->spoiled ? " spoiled" : "");
	return 0;
}

static const char *parse(const char *text, struct seen *ret_seen)
{
	struct config_errors errors = {0};
	struct confreport report = {.errors = &errors};
	struct parse_result result = {0};

	*ret_seen = (struct seen){0};
	assert_int_equal(parse_text("f", text, strlen(text), &report, see, ret_seen, &result), 0);
	confreport_sort(&report);
	for (size_t i = 0; i < errors.count; i++) {
		char *line = config_error_text(&errors.list[i]);

		append(ret_seen->errors, "%s\n", line);
		free(line);
	}
	config_errors_done(&errors);
	ret_seen->complete = result.complete;
	return ret_seen->stanzas;
}

static void assert_parse(const char *text, const char *stanzas, const char *errors)
{
	struct seen seen;

	assert_string_equal(parse(text, &seen), stanzas);
	assert_string_equal(seen.errors, errors);
}

static void test_good_text_gives_stanzas_in_order(void **state)
{
	(void)state;
	assert_parse("run_dir = \"/x\"\ndefaults { umask = 022 }\nprogram web {\n command = \"a "
		     "b\"\n\n after = {b, \"c\",}\n}\n"
		     "include = x",
	    "setting run_dir:1=</x>\ndefaults:2 umask:2=<022>\nprogram web:3 command:4=<a b> "
	    "after:6=<b><c> list\n"
	    "setting include:8=<x>\n",
	    "");
	assert_parse("", "", "");
	assert_parse("program \"a\" {}", "program a:1\n", "");
	assert_parse("program \"a\" { command = {} }", "program a:1 command:1= list\n", "");
}

static void test_string_and_list_of_one_are_told_apart(void **state)
{
	(void)state;
	assert_parse("program a { command = \"x y\" }\nprogram b { command = {\"x y\"} }",
	    "program a:1 command:1=<x y>\nprogram b:2 command:2=<x y> list\n", "");
}

static void test_strings_are_unquoted_and_variables_put_in(void **state)
{
	(void)state;
	setenv("CONFUSED", "a \"b\" #c", 1);
	unsetenv("NOTHING");
	assert_parse(
	    "run_dir = \"\\x41\\102\\n\\\"\\\\ \\${X} $x $ $$ %{name} ; * | # // /* */ { } \\q\"",
	    "setting run_dir:1=<AB\n\"\\ ${X} $x $ $$ %{name} ; * | # // /* */ { } q>\n", "");
	assert_parse("run_dir = '\\x41 ${CONFUSED} \\' \"'",
	    "setting run_dir:1=<\\x41 ${CONFUSED} ' \">\n", "");
	assert_parse("run_dir = \"<${CONFUSED}>${NOTHING}|${NOTHING:-d e}|$${NOTHING:-}\"",
	    "setting run_dir:1=<<a \"b\" #c>|d e|$>\n", "");
	assert_parse("run_dir = ${CONFUSED}", "setting run_dir:1=<a \"b\" #c>\n", "");
	assert_parse("run_dir = ${NOTHING:-/x}", "setting run_dir:1=</x>\n", "");
	assert_parse("run_dir = \"a\nb\\\nc\"\nlog_dir = d",
	    "setting run_dir:1=<a\nbc>\nsetting log_dir:4=<d>\n", "");
	assert_parse("run_dir = \"\xc3\xa4\"\r\nlog_dir = \xc3\xa4\r\n",
	    "setting run_dir:1=<\xc3\xa4>\nsetting log_dir:2=<\xc3\xa4>\n", "");
}

/* Pitfall 3: libconfuse counts lines wrongly after comments and refuses them in lists and after
 * '='. */
static void test_comments_anywhere_change_nothing(void **state)
{
	struct seen seen;

	(void)state;
	assert_parse("# a\n// b\n/* c\n d */ program # e\n \"a\" // f\n { # g\n command = # h\n { "
		     "a, # i\n /* j */ b }\n}\n#\n#",
	    "program a:4 command:7=<a><b> list\n", "");
	/* Told by libconfuse itself, in a slice that does not begin in line 1. */
	parse("# a\n# b\nlog_dir = x\n\nprogram a { # c\n # d\n command = \"x\"\n user = "
	      "\"\\999\"\n}\n",
	    &seen);
	assert_string_equal(seen.stanzas, "setting log_dir:3=<x>\n");
	assert_string_equal(seen.errors, "f:8: bad escape sequence '\\999'\n");
	assert_false(seen.complete);
}

/* Pitfall 5: the lexer of libconfuse is global and keeps its state after an error. */
static void test_parse_after_an_error_begins_afresh(void **state)
{
	static const char *const bad[] = {"run_dir = \"\\999\"", "run_dir = \"a",
	    "program a { command = \"x", "/*", "run_dir = 'x",
	    "program \"root\" { command = \"\\999\" }", "run_dir = ${x", "#", "a = {b"};
	struct seen seen;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		parse(bad[i], &seen);
		assert_parse("run_dir = x\nprogram root { command = y }",
		    "setting run_dir:1=<x>\nprogram root:2 command:2=<y>\n", "");
	}
}

/* Pitfall 6: libconfuse stops at the first error. */
static void test_all_errors_are_told_and_the_rest_is_given(void **state)
{
	struct seen seen;

	(void)state;
	parse("rundir = x\nprogram a {\n comand = x\n user = u\n grop = g\n user = v\n}\nlog_dir = "
	      "\"\\999\"\nnonsense_here {}\n"
	      "program b { command = y }\n",
	    &seen);
	assert_string_equal(
	    seen.stanzas, "program a:2 user:4=<u> spoiled\nprogram b:10 command:10=<y>\n");
	assert_string_equal(seen.errors,
	    "f:1: rundir: unknown key: did you mean 'run_dir'?\n"
	    "f:3: comand: unknown key: did you mean 'command'?\n"
	    "f:5: grop: unknown key: did you mean 'group'?\n"
	    "f:6: user: is already given in line 4\n"
	    "f:8: bad escape sequence '\\999'\n"
	    "f:9: nonsense_here: unknown key: allowed are run_dir "
	    "log_dir state_dir include log_level "
	    "shutdown_timeout log_memory inherit_format syslog_socket "
	    "journal_socket control defaults program on_event group socket override\n");
	assert_false(seen.complete);
}

/* Pitfall 6: 100,000 nested sections crash it; 7: CFGF_COMMENTS and a lone '#'. */
static void test_nesting_and_lone_comment_do_no_harm(void **state)
{
	char *text = malloc(400001);
	struct seen seen;

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < 400000; i += 4)
		memcpy(text + i, "a { ", 4);
	text[400000] = '\0';
	parse(text, &seen);
	assert_string_equal(seen.stanzas, "");
	assert_string_equal(seen.errors, "f:1: sections are nested too deeply: at most 8 levels\n");
	free(text);
	assert_parse("#", "", "");
	assert_parse("run_dir = x\n#", "setting run_dir:1=<x>\n", "");
}

/* Pitfall 8: `sec|key` reaches into other sections. */
static void test_keys_with_a_path_in_them_are_refused(void **state)
{
	struct seen seen;

	(void)state;
	parse("program a { command = x }\n\"program=a|user\" = root\nlog_dir = x\nprogram|user = "
	      "root\n"
	      "program b { \"program|user\" = x }\n",
	    &seen);
	assert_string_equal(seen.stanzas, "program a:1 command:1=<x>\nsetting log_dir:3=<x>\n");
	assert_string_equal(seen.errors, "f:2: a string instead of a setting or a section\n"
					 "f:4: '|' outside quotes: put the value in quotes\n"
					 "f:5: a string instead of a key or '}'\n");
}

/* Pitfall 9, and 10: include is no function here. */
static void test_what_was_silent_is_an_error(void **state)
{
	(void)state;
	assert_parse("include(\"x\")", "", "f:1: '(' outside quotes: put the value in quotes\n");
	assert_parse("run_dir = *\n", "", "f:1: '*' outside quotes: put the value in quotes\n");
	assert_parse("run_dir = x;\n", "",
	    "f:1: ';' outside quotes: nothing ends in ';' here, and a value that has one needs "
	    "quotes\n");
	assert_parse(
	    "run_dir = \"a\\0b\"", "", "f:1: an escaped NUL byte: no value can hold one\n");
	/* Text, which the types judge. */
	assert_parse("program a { start_limit = \"\" log_keep = 010 }",
	    "program a:1 start_limit:1=<> log_keep:1=<010>\n", "");
}

/* Pitfall 12: cfg_parse_buf() names the file "[buf]", CFGF_KEYSTRVAL complains about good text. */
static void test_errors_name_the_file(void **state)
{
	struct seen seen;

	(void)state;
	parse("run_dir = \"\\999\"", &seen);
	assert_memory_equal(seen.errors, "f:1: ", 5);
}

static void test_forms_are_checked(void **state)
{
	(void)state;
	assert_parse("program = x", "", "f:1: program: is a section: program \"NAME\" { ... }\n");
	assert_parse("program { }", "", "f:1: program: has no name: program \"NAME\" { ... }\n");
	assert_parse("defaults = x", "", "f:1: defaults: is a section: defaults { ... }\n");
	assert_parse("defaults \"x\" { }", "", "f:1: defaults: takes no name: defaults { ... }\n");
	assert_parse("run_dir { }", "", "f:1: run_dir: is no section: NAME = VALUE\n");
	assert_parse("run_dir = {a}", "", "f:1: run_dir: is a list: a path is allowed\n");
	assert_parse("defaults { command = x umask = 0 }", "defaults:1 umask:1=<0> spoiled\n",
	    "f:1: command: is not allowed in defaults: each program has its own\n");
	assert_parse("program a { user { } }", "program a:1 spoiled\n",
	    "f:1: user: is no section: user = VALUE\n");
	assert_parse("program a { user = {} }", "program a:1 spoiled\n",
	    "f:1: user: is a list: a name or number is allowed\n");
	assert_parse("command = x", "",
	    "f:1: command: is a key of programs: it is allowed in program \"NAME\" { ... } and "
	    "defaults { ... }\n");
}

static void test_unknown_key_far_from_all_tells_what_is_allowed(void **state)
{
	struct seen seen;

	(void)state;
	parse("program a { wibble_wobble = x }", &seen);
	/* Of a program they are too many. */
	assert_string_equal(seen.errors,
	    "f:1: wibble_wobble: unknown key: superctl config keys lists those that are allowed "
	    "(see supervisord.conf(5))\n");
	parse("program a { health { wibble_wobble = x } }\ngroup b { wibble_wobble = x }", &seen);
	assert_string_equal(seen.errors,
	    "f:1: health.wibble_wobble: unknown key: allowed are check interval timeout failures "
	    "successes on_failure (see supervisord.conf(5))\n"
	    "f:2: wibble_wobble: unknown key: allowed are members (see supervisord.conf(5))\n");
}

static void test_health_section_gives_its_keys(void **state)
{
	(void)state;
	assert_parse(
	    "program a {\n health {\n  check = {\"exec:x\", y}\n  interval = 5s\n }\n user = "
	    "u on_failure = none\n}\ndefaults { health { timeout = 1s on_failure = none } }",
	    "program a:1 health.check:3=<exec:x><y> list health.interval:4=<5s> user:6=<u> "
	    "on_failure:6=<none>\ndefaults:8 health.timeout:8=<1s> health.on_failure:8=<none>\n",
	    "");
	assert_parse("program a { health { } }", "program a:1\n", "");
	assert_parse("program a { user = u health { # c\n } command = \"y\" }",
	    "program a:1 user:1=<u> command:2=<y>\n", "");
}

static void test_health_section_is_checked(void **state)
{
	(void)state;
	assert_parse("program a {\n health {\n  chek = x\n  timeout = 1s\n }\n}",
	    "program a:1 health.timeout:4=<1s> spoiled\n",
	    "f:3: health.chek: unknown key: did you mean 'check'?\n");
	assert_parse("program a {\n health { check = x\n check = y user = z }\n}",
	    "program a:1 health.check:2=<x> spoiled\n",
	    "f:3: health.check: is already given in line 2\n"
	    "f:3: health.user: unknown key: allowed are check interval timeout failures successes "
	    "on_failure (see supervisord.conf(5))\n");
	assert_parse("program a {\n health { check = x }\n health { timeout = 1s }\n}",
	    "program a:1 health.check:2=<x> spoiled\n",
	    "f:3: health: is already given in line 2\n");
	assert_parse("program a { health = x user = u }", "program a:1 user:1=<u> spoiled\n",
	    "f:1: health: is a section: health { check = VALUE ... }\n");
	assert_parse("program a { health { timeout = {1s} check { } } }", "program a:1 spoiled\n",
	    "f:1: health.timeout: is a list: a duration from 10ms to 1h, such as 500ms, 10s or "
	    "1min30s, is allowed\n"
	    "f:1: health.check: is no section: check = VALUE\n");
	assert_parse("defaults { health_check = none\n helth { check = x } }",
	    "defaults:1 spoiled\n",
	    "f:1: health_check: is a key of the section health: health { check = VALUE }\n"
	    "f:2: helth: unknown key: did you mean 'health'?\n");
	assert_parse("health { check = x }", "",
	    "f:1: health: is a key of programs: it is allowed in program \"NAME\" { ... } and "
	    "defaults { ... }\n");
	assert_parse("group a { health { check = x } }", "group a:1 spoiled\n",
	    "f:1: health: unknown key: allowed are members (see supervisord.conf(5))\n");
	/* What libconfuse has to say names the right line. */
	assert_parse("program a {\n health {\n\n  check = \"\\999\"\n }\n}", "",
	    "f:4: bad escape sequence '\\999'\n");
}

static void test_groups_give_their_members(void **state)
{
	(void)state;
	assert_parse(
	    "group \"web\" {\n members = {a, \"b\"}\n}\ngroup x { members = a }\ngroup y { }",
	    "group web:1 members:2=<a><b> list\ngroup x:4 members:4=<a>\ngroup y:5\n", "");
	assert_parse("group = x", "", "f:1: group: is a section: group \"NAME\" { ... }\n");
	assert_parse(
	    "group { members = a }", "", "f:1: group: has no name: group \"NAME\" { ... }\n");
	assert_parse("group x { member = a }", "group x:1 spoiled\n",
	    "f:1: member: unknown key: did you mean 'members'?\n");
	assert_parse("members = a", "",
	    "f:1: members: unknown key: allowed are run_dir log_dir state_dir include log_level "
	    "shutdown_timeout log_memory inherit_format syslog_socket journal_socket control "
	    "defaults "
	    "program on_event group socket override\n");
}

/* Pitfalls 2 and 10: descriptors and memory left behind by failed parses. */
static void test_failed_parses_leave_no_descriptor(void **state)
{
	struct seen seen;
	size_t before = 0, after = 0;
	DIR *directory;

	(void)state;
	directory = opendir("/proc/self/fd");
	assert_non_null(directory);
	while (readdir(directory) != NULL)
		before++;
	closedir(directory);
	for (size_t i = 0; i < 50; i++)
		parse(
		    "run_dir = \"\\999\"\nprogram a { comand = x user = \"\\999\" }\nb = {", &seen);
	directory = opendir("/proc/self/fd");
	assert_non_null(directory);
	while (readdir(directory) != NULL)
		after++;
	closedir(directory);
	assert_int_equal(before, after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good_text_gives_stanzas_in_order),
	    cmocka_unit_test(test_string_and_list_of_one_are_told_apart),
	    cmocka_unit_test(test_strings_are_unquoted_and_variables_put_in),
	    cmocka_unit_test(test_comments_anywhere_change_nothing),
	    cmocka_unit_test(test_parse_after_an_error_begins_afresh),
	    cmocka_unit_test(test_all_errors_are_told_and_the_rest_is_given),
	    cmocka_unit_test(test_nesting_and_lone_comment_do_no_harm),
	    cmocka_unit_test(test_keys_with_a_path_in_them_are_refused),
	    cmocka_unit_test(test_what_was_silent_is_an_error),
	    cmocka_unit_test(test_errors_name_the_file),
	    cmocka_unit_test(test_forms_are_checked),
	    cmocka_unit_test(test_unknown_key_far_from_all_tells_what_is_allowed),
	    cmocka_unit_test(test_health_section_gives_its_keys),
	    cmocka_unit_test(test_health_section_is_checked),
	    cmocka_unit_test(test_groups_give_their_members),
	    cmocka_unit_test(test_failed_parses_leave_no_descriptor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
