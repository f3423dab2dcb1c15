/* SPDX-License-Identifier: ISC */
/* Tests of supervisord/engine/config.h: the section control, and whom its rules are about. */
#define _GNU_SOURCE
#include "tests/unit/engine/confdir.h"

#include <fcntl.h>

#define WEB "program web { command = x }\n"

static void test_rules_have_the_numbers_of_their_users_and_groups(void **state)
{
	char group[16], text[512];
	struct config *config;

	(void)state;
	/* Only root may name a group that is not its own. */
	(void)snprintf(group, sizeof(group), "%u", (unsigned)getgid());
	(void)snprintf(text, sizeof(text),
	    "control {\n  allow = {\"user:root status *\", \"group:root stop web\",\n"
	    "    \"user:12345 logs web*\"}\n  mode = 0600\n  group = %s\n}\n" WEB,
	    group);
	config = confdir_accept(text);
	assert_int_equal(config->rights.count, 3);
	assert_int_equal(config->rights.list[0].id, 0);
	assert_false(config->rights.list[0].is_group);
	assert_int_equal(config->rights.list[1].id, 0);
	assert_true(config->rights.list[1].is_group);
	assert_int_equal(config->rights.list[2].id, 12345);
	assert_int_equal(config->settings.key_control_mode, 0600);
	assert_string_equal(config->settings.key_control_group, group);
	config_free(config);
}

static void test_without_the_section_nobody_is_let_in(void **state)
{
	struct config *config = confdir_accept(WEB "control { }\ncontrol { allow = {} }\n");

	(void)state;
	assert_int_equal(config->rights.count, 0);
	assert_int_equal(config->settings.key_control_mode, 0660);
	assert_null(config->settings.key_control_group);
	config_free(config);
}

static void test_what_is_wrong_is_told_with_its_line(void **state)
{
	(void)state;
	confdir_refuse("control {\n  allow = {\"user:nosuchuser1 status *\",\n"
		       "           \"group:nosuchgroup1 status *\"}\n  group = nosuchgroup2\n}\n",
	    "@/main.conf:2: control.allow: 'nosuchuser1' does not exist: a user of this system is "
	    "allowed, by name or number\n"
	    "@/main.conf:2: control.allow: 'nosuchgroup1' does not exist: a group of this system "
	    "is allowed, by name or number\n"
	    "@/main.conf:4: control.group: 'nosuchgroup2' does not exist: a group of this system "
	    "is allowed, by name or number\n");
	confdir_refuse("control { allow = \"user:root\" }\n",
	    "@/main.conf:1: control.allow: 'user:root' gives no rights: \"user:NAME RIGHT,... "
	    "PATTERN ...\" or \"group:NAME RIGHT,... PATTERN ...\" is allowed\n");
	confdir_refuse("control {\n mode = 0999\n modee = 1\n}\n",
	    "@/main.conf:2: control.mode: '0999' is not an octal number: an octal number from 0 to "
	    "777 "
	    "is allowed\n"
	    "@/main.conf:3: control.modee: unknown key: did you mean 'mode'?\n");
}

static void test_keys_stand_in_their_section_once(void **state)
{
	(void)state;
	confdir_refuse("control { mode = 0660 }\ncontrol { mode = 0600 run_dir = /x }\n"
		       "control \"x\" { }\ncontrol = x\n",
	    "@/main.conf:2: control.run_dir: unknown key: allowed are allow group mode (see "
	    "supervisord.conf(5))\n"
	    "@/main.conf:2: control.mode: is already given at @/main.conf:1\n"
	    "@/main.conf:3: control: takes no name: control { ... }\n"
	    "@/main.conf:4: control: is a section: control { ... }\n");
}

/* A new engine goes on whatever has become of the users. */
static void test_applied_rule_about_nobody_is_no_error(void **state)
{
	struct config *config =
	    confdir_accept("control { allow = {\"user:root status *\"} }\n" WEB);
	struct config_errors errors = {0};
	char text[4096], *at;
	struct config *again;
	ssize_t length;
	int fd;

	(void)state;
	assert_int_equal(config_write_applied(config, &fd), 0);
	config_free(config);
	length = pread(fd, text, sizeof(text), 0);
	assert_in_range(length, 1, sizeof(text) - 1);
	close(fd);
	/* As if root had been called so when it was accepted. */
	at = memmem(text, (size_t)length, "user:root", strlen("user:root"));
	assert_non_null(at);
	memcpy(at, "user:rxxt", strlen("user:rxxt"));
	fd = open(confdir_path("applied"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, text, (size_t)length), length);
	assert_int_equal(config_load_applied(fd, &again, &errors), 0);
	close(fd);
	assert_int_equal(again->rights.count, 1);
	assert_true(again->rights.list[0].lost);
	config_errors_done(&errors);
	config_free(again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rules_have_the_numbers_of_their_users_and_groups),
	    cmocka_unit_test(test_without_the_section_nobody_is_let_in),
	    cmocka_unit_test(test_what_is_wrong_is_told_with_its_line),
	    cmocka_unit_test(test_keys_stand_in_their_section_once),
	    cmocka_unit_test(test_applied_rule_about_nobody_is_no_error),
	};

	return cmocka_run_group_tests(tests, confdir_setup, confdir_teardown);
}
