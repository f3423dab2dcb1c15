/* SPDX-License-Identifier: ISC */
/* driftlook_test.c: what differs between two configurations, and the way of that to the engine. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "supervisord/engine/driftlook.h"
#include "tests/unit/engine/confdir.h"

#define NAMES   16
#define HIGH_FD 30

struct found {
	size_t count;
	char names[NAMES][LIMIT_NAME];
};

static void note(void *context, const char *name)
{
	struct found *found = context;

	assert_true(found->count < NAMES);
	(void)snprintf(found->names[found->count++], LIMIT_NAME, "%s", name);
}

static bool compare(const char *applied_text, const char *files_text, struct found *found)
{
	struct config *applied = confdir_accept(applied_text), *files = confdir_accept(files_text);
	bool any;

	*found = (struct found){0};
	any = driftlook_compare(applied, files, note, found);
	config_free(applied);
	config_free(files);
	return any;
}

static void test_compare_when_same_then_nothing(void **state)
{
	struct found found;

	(void)state;
	assert_false(compare(
	    "program web { command = x }\n", "# more\nprogram web { command = x }\n", &found));
	assert_int_equal(found.count, 0);
}

static void test_compare_when_changed_and_gone_then_named(void **state)
{
	struct found found;

	(void)state;
	assert_true(compare("program a { command = x }\nprogram b { command = x }\n"
			    "program c { command = x }\n",
	    "program a { command = x }\nprogram c { command = x log_keep = 9 }\n", &found));
	assert_int_equal(found.count, 2);
	assert_string_equal(found.names[0], "b");
	assert_string_equal(found.names[1], "c");
}

static void test_compare_when_new_or_setting_or_socket_then_of_no_program(void **state)
{
	static const char *const files[] = {
	    "program a { command = x }\nprogram b { command = x }\n",
	    "log_level = debug\nprogram a { command = x }\n",
	    "group g { members = {a} }\nprogram a { command = x }\n",
	    "socket s { listen = \"tcp:127.0.0.1:1\" }\nprogram a { command = x }\n",
	};
	struct found found;

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		assert_true(compare("program a { command = x }\n", files[i], &found));
		assert_int_equal(found.count, 0);
	}
}

/* An only instance is the first of several. */
static void test_compare_when_more_instances_then_the_first_is_the_same(void **state)
{
	struct found found;

	(void)state;
	assert_true(compare("program web { command = x }\n",
	    "program web { command = x instances = 3 }\n", &found));
	assert_int_equal(found.count, 0);
	assert_true(compare("program web { command = x instances = 3 }\n",
	    "program web { command = y instances = 1 }\n", &found));
	assert_int_equal(found.count, 3);
}

/* Runs it as its own process would be, without one. */
static int run_looker(const char *applied_text, const char *files_text, struct driftlook *look)
{
	struct config *applied = confdir_accept(applied_text);
	int config_fd, result, memfd, code;

	assert_int_equal(config_write_applied(applied, &memfd), 0);
	config_free(applied);
	config_fd = fcntl(memfd, F_DUPFD, HIGH_FD); /* out of the way of those that it finds */
	close(memfd);
	memfd = memfd_create("result", MFD_CLOEXEC);
	result = fcntl(memfd, F_DUPFD, HIGH_FD);
	close(memfd);
	confdir_write("main.conf", files_text);
	assert_int_equal(dup2(config_fd, DRIFTLOOK_FD_CONFIG), DRIFTLOOK_FD_CONFIG);
	assert_int_equal(dup2(result, DRIFTLOOK_FD_RESULT), DRIFTLOOK_FD_RESULT);
	close(config_fd);
	close(result);
	code = driftlook_main(confdir_path("main.conf"));
	(void)alarm(0);
	assert_int_equal(driftlook_read(DRIFTLOOK_FD_RESULT, look), code == 0 ? 0 : -EBADMSG);
	close(DRIFTLOOK_FD_CONFIG);
	close(DRIFTLOOK_FD_RESULT);
	return code;
}

static void test_look_when_differing_then_names_and_a_stamp_that_holds(void **state)
{
	struct driftlook look;

	(void)state;
	assert_int_equal(
	    run_looker("program a { command = x }\n", "program a { command = y }\n", &look), 0);
	assert_true(look.differs);
	assert_int_equal(look.errors, 0);
	assert_int_equal(look.count, 1);
	assert_string_equal(look.names[0], "a");
	assert_false(confstamp_has_changed(look.stamp));
	confdir_write("main.conf", "# longer than it was\nprogram a { command = y }\n");
	assert_true(confstamp_has_changed(look.stamp));
	driftlook_done(&look);
}

static void test_look_when_files_are_bad_then_so_many_errors(void **state)
{
	struct driftlook look;

	(void)state;
	assert_int_equal(run_looker("program a { command = x }\n",
			     "program a { comand = y }\nprogram b { }\n", &look),
	    0);
	assert_int_equal(look.errors, 2);
	assert_int_equal(look.count, 0);
	assert_non_null(look.stamp);
	assert_false(confstamp_has_changed(look.stamp));
	driftlook_done(&look);
}

/* However much of it a looker that was killed has written. */
static void test_read_when_cut_anywhere_then_refused(void **state)
{
	struct driftlook look;
	char whole[256];
	int fd = memfd_create("result", MFD_CLOEXEC);
	ssize_t length = snprintf(
	    whole, sizeof(whole), "0 1 1%c12 1%c/etc/x%c/etc%cconf.d/*%ca%cend", 0, 0, 0, 0, 0, 0);

	(void)state;
	for (ssize_t cut = 0; cut <= length + 1; cut++) {
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, whole, (size_t)cut, 0), cut);
		assert_int_equal(driftlook_read(fd, &look), cut == length + 1 ? 0 : -EBADMSG);
		driftlook_done(&look);
	}
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_compare_when_same_then_nothing),
	    cmocka_unit_test(test_compare_when_changed_and_gone_then_named),
	    cmocka_unit_test(test_compare_when_new_or_setting_or_socket_then_of_no_program),
	    cmocka_unit_test(test_compare_when_more_instances_then_the_first_is_the_same),
	    cmocka_unit_test(test_look_when_differing_then_names_and_a_stamp_that_holds),
	    cmocka_unit_test(test_look_when_files_are_bad_then_so_many_errors),
	    cmocka_unit_test(test_read_when_cut_anywhere_then_refused),
	};

	return cmocka_run_group_tests(tests, confdir_setup, confdir_teardown);
}
