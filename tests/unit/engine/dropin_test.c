/* SPDX-License-Identifier: ISC */
/* Tests of supervisord/engine/dropin.h. */
#include "tests/unit/engine/confdir.h"

#include <errno.h>

#include "supervisord/engine/dropin.h"

static const char stanza[] = "program \"web\" { command = /bin/a }\n";

static void make_directory(const char *name)
{
	assert_int_equal(mkdir(confdir_path(name), 0755), 0);
}

/* Where the file of web goes, below the directory; or NULL. */
static void expect(const char *main_text, const char *expected)
{
	static char path[256];
	struct config *config = confdir_accept(main_text);
	struct dropin dropin = {0};
	char *problem = NULL;
	int error = dropin_find(config, config_find_program(config, "web"), &dropin, &problem);

	assert_int_equal(error, expected != NULL ? 0 : -EINVAL);
	if (expected != NULL) {
		(void)snprintf(path, sizeof(path), "%s", confdir_path(expected));
		assert_string_equal(dropin.path, path);
	} else {
		assert_non_null(strstr(problem, "include = "));
	}
	free(problem);
	dropin_done(&dropin);
	config_free(config);
}

static void test_file_goes_where_an_include_reads_it(void **state)
{
	(void)state;
	make_directory("a.d");
	make_directory("b.d");
	confdir_write("b.d/web.conf", stanza);
	confdir_write("web.inc", stanza);
	/* Beside the stanza, else the first that fits. */
	expect("include = {\"a.d/*.conf\", \"b.d/*.conf\"}", "b.d/web.override.conf");
	expect("include = {\"./a.d/*.conf\", \"web.inc\"}", "a.d/web.override.conf");
	expect("include = {\"web.inc\", \"a.d/site-*.cfg\"}", "a.d/site-web.override.cfg");
	expect("include = {\"web.inc\", \"a.d/*\"}", "a.d/web.override");
	/* What no name can be made of. */
	expect("include = {\"web.inc\"}", NULL);
	expect("include = {\"web.inc\", \"?.d/*.cfg\", \"a.d/[a-z]*.conf\"}", NULL);
	expect(stanza, NULL);
}

static void test_file_that_was_written_is_found_wherever_it_is(void **state)
{
	(void)state;
	confdir_write("a.d/old.conf", DROPIN_HEAD "override \"web\" { umask = 077 }\n");
	expect("include = {\"web.inc\", \"b.d/*.cfg\", \"a.d/*.conf\"}", "a.d/old.conf");
	assert_int_equal(remove(confdir_path("a.d/old.conf")), 0);
}

static void test_file_is_replaced_as_a_whole_and_keeps_its_looks(void **state)
{
	struct stat st, looks;
	char like[160], path[160];

	(void)state;
	(void)snprintf(like, sizeof(like), "%s", confdir_path("web.inc"));
	(void)snprintf(path, sizeof(path), "%s", confdir_path("a.d/x.conf"));
	assert_int_equal(chmod(like, 0640), 0);
	assert_int_equal(dropin_look(path, like, &looks), 0);
	assert_int_equal(dropin_write(path, "one", &looks), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(dropin_look(path, like, &looks), 0);
	assert_int_equal(dropin_write(path, "twos", &looks), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 4);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(dropin_write(path, NULL, &looks), 0);
	assert_int_equal(stat(path, &st), -1);
	assert_int_equal(dropin_write(path, NULL, &looks), 0); /* gone is gone */
	assert_int_equal(dropin_look(path, confdir_path("none"), &looks), -ENOENT);
	assert_int_equal(dropin_write(confdir_path("none/x.conf"), "one", &looks), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_file_goes_where_an_include_reads_it),
	    cmocka_unit_test(test_file_that_was_written_is_found_wherever_it_is),
	    cmocka_unit_test(test_file_is_replaced_as_a_whole_and_keeps_its_looks),
	};

	return cmocka_run_group_tests(tests, confdir_setup, confdir_teardown);
}
