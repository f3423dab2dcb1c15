/* SPDX-License-Identifier: ISC */
/* Tests of supervisord/engine/ids.h, as root and as anybody. */
#include <errno.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "supervisord/engine/ids.h"

static void test_nothing_given_is_ourselves_unchanged(void **state)
{
	struct ids ids;
	const char *what;

	(void)state;
	assert_int_equal(ids_resolve(NULL, NULL, &ids, &what), 0);
	assert_false(ids.change);
	assert_int_equal(ids.uid, geteuid());
	assert_int_equal(ids.gid, getegid());
	assert_non_null(ids.user);
	assert_int_equal(ids.home[0], '/');
	assert_int_equal(ids.shell[0], '/');
	ids_done(&ids);
}

static void test_own_name_and_own_number_are_ourselves(void **state)
{
	const struct passwd *entry = getpwuid(geteuid());
	char number[16];
	struct ids ids;
	const char *what;

	(void)state;
	if (entry == NULL)
		skip();
	assert_int_equal(ids_resolve(entry->pw_name, NULL, &ids, &what), 0);
	assert_int_equal(ids.uid, geteuid());
	assert_int_equal(ids.change, geteuid() == 0);
	ids_done(&ids);
	snprintf(number, sizeof(number), "%u", (unsigned)geteuid());
	assert_int_equal(ids_resolve(number, NULL, &ids, &what), 0);
	assert_int_equal(ids.uid, geteuid());
	ids_done(&ids);
}

static void test_unknown_user_and_group_are_told_apart(void **state)
{
	struct ids ids;
	const char *what = NULL;

	(void)state;
	assert_int_equal(ids_resolve("no-such-user", NULL, &ids, &what), -ENOENT);
	assert_string_equal(what, "user");
	assert_int_equal(ids_resolve(NULL, "no-such-group", &ids, &what), -ENOENT);
	assert_string_equal(what, "group");
	assert_int_equal(ids_resolve("", NULL, &ids, &what), -ENOENT);
	/* (uid_t)-1 means "leave it" to setresuid(2). */
	assert_int_equal(ids_resolve("4294967295", "0", &ids, &what), -ENOENT);
	assert_string_equal(what, "user");
	assert_int_equal(ids_resolve(NULL, "4294967295", &ids, &what), -ENOENT);
	assert_int_equal(ids_resolve("-1", NULL, &ids, &what), -ENOENT);
}

static void test_number_without_entry_needs_a_group(void **state)
{
	struct ids ids;
	const char *what = NULL;

	(void)state;
	if (geteuid() != 0 || getpwuid(3999999999u) != NULL)
		skip();
	assert_int_equal(ids_resolve("3999999999", NULL, &ids, &what), -ENOENT);
	assert_string_equal(what, "group");
	assert_int_equal(ids_resolve("3999999999", "3999999998", &ids, &what), 0);
	assert_true(ids.change);
	assert_true(ids.uid == 3999999999u);
	assert_true(ids.gid == 3999999998u);
	assert_int_equal(ids.group_count, 1);
	assert_true(ids.groups[0] == 3999999998u);
	assert_string_equal(ids.user, "3999999999");
	assert_string_equal(ids.home, "/");
	assert_string_equal(ids.shell, "/bin/sh");
	ids_done(&ids);
}

static void test_root_gets_the_groups_of_a_user(void **state)
{
	const struct passwd *entry = getpwnam("nobody");
	struct ids ids;
	const char *what = NULL;
	bool found = false;

	(void)state;
	if (geteuid() != 0 || entry == NULL)
		skip();
	assert_int_equal(ids_resolve("nobody", NULL, &ids, &what), 0);
	assert_true(ids.change);
	assert_int_equal(ids.uid, entry->pw_uid);
	assert_int_equal(ids.gid, entry->pw_gid);
	assert_string_equal(ids.user, "nobody");
	for (size_t i = 0; i < ids.group_count; i++)
		found = found || ids.groups[i] == ids.gid;
	assert_true(found);
	ids_done(&ids);
}

static void test_who_is_not_root_may_be_nobody_else(void **state)
{
	struct ids ids;
	const char *what = NULL;

	(void)state;
	if (geteuid() == 0 && getpwnam("nobody") != NULL)
		assert_int_equal(seteuid(getpwnam("nobody")->pw_uid), 0);
	assert_int_equal(ids_resolve("root", NULL, &ids, &what), -EPERM);
	assert_string_equal(what, "user");
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_nothing_given_is_ourselves_unchanged),
	    cmocka_unit_test(test_own_name_and_own_number_are_ourselves),
	    cmocka_unit_test(test_unknown_user_and_group_are_told_apart),
	    cmocka_unit_test(test_number_without_entry_needs_a_group),
	    cmocka_unit_test(test_root_gets_the_groups_of_a_user),
	    cmocka_unit_test(test_who_is_not_root_may_be_nobody_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
