/* SPDX-License-Identifier: ISC */
/* Tests of supervisord/engine/confstamp.h and confwatch.h: does a second look see what happened? */
#include "tests/unit/engine/confdir.h"

#include "supervisord/engine/confstamp.h"
#include "supervisord/engine/confwatch.h"

#define STANZA "program \"web\" { command = /bin/true }\n"

struct looked {
	struct config *config;
	int fd;
};

/* Loaded, watched, and as it was. */
static struct looked look(void)
{
	struct looked looked = {.config = confdir_load()};

	assert_int_equal(confwatch_new(&looked.fd), 0);
	assert_true(confstamp_watch(looked.config->stamp, looked.fd));
	assert_false(confstamp_has_changed(looked.config->stamp));
	assert_false(confwatch_has_news(looked.fd));
	return looked;
}

static void expect_change(struct looked looked)
{
	assert_true(confwatch_has_news(looked.fd));
	assert_true(confstamp_has_changed(looked.config->stamp));
	close(looked.fd);
	config_free(looked.config);
}

static int setup(void **state)
{
	if (confdir_setup(state) < 0 || mkdir(confdir_path("conf.d"), 0755) < 0)
		return -1;
	confdir_write("main.conf", "include = {\"conf.d/*.conf\", \"conf.d/w*.conf\"}\n");
	confdir_write("conf.d/web.conf", STANZA);
	return 0;
}

static void test_edit_is_seen(void **state)
{
	struct looked looked = look();

	(void)state;
	confdir_write("conf.d/web.conf", STANZA "\n");
	expect_change(looked);
}

static void test_edit_of_the_first_file_is_seen(void **state)
{
	struct looked looked = look();

	(void)state;
	confdir_write("main.conf", "include = {\"conf.d/*.conf\"}\n");
	expect_change(looked);
}

static void test_new_file_is_seen(void **state)
{
	struct looked looked = look();

	(void)state;
	confdir_write("conf.d/db.conf", "");
	expect_change(looked);
}

static void test_removed_file_is_seen(void **state)
{
	struct looked looked = look();

	(void)state;
	unlink(confdir_path("conf.d/web.conf"));
	expect_change(looked);
}

static void test_file_in_the_place_of_another_is_seen(void **state)
{
	struct looked looked = look();
	char from[160];

	(void)state;
	confdir_write("conf.d/.new", STANZA);
	snprintf(from, sizeof(from), "%s", confdir_path("conf.d/.new"));
	assert_int_equal(rename(from, confdir_path("conf.d/web.conf")), 0);
	expect_change(looked);
}

static void test_edit_behind_a_link_is_seen(void **state)
{
	struct looked looked;
	char target[160];

	(void)state;
	assert_int_equal(mkdir(confdir_path("app"), 0755), 0);
	confdir_write("app/db", "program \"db\" { command = /bin/true }\n");
	snprintf(target, sizeof(target), "%s", confdir_path("app/db"));
	assert_int_equal(symlink(target, confdir_path("conf.d/db.conf")), 0);
	looked = look();
	confdir_write("app/db", "program \"db\" { command = /bin/false }\n");
	expect_change(looked);
}

static void test_other_files_are_no_change(void **state)
{
	struct looked looked = look();

	(void)state;
	confdir_write("conf.d/README", "words\n");
	confdir_write("notes", "words\n");
	assert_true(confwatch_has_news(looked.fd)); /* look */
	assert_false(confstamp_has_changed(looked.config->stamp));
	close(looked.fd);
	config_free(looked.config);
}

static void test_directories_by_pattern_cannot_be_watched(void **state)
{
	struct config *config;
	int fd;

	(void)state;
	confdir_write("main.conf", "include = {\"*/web.conf\"}\n");
	config = confdir_load();
	assert_int_equal(config->program_count, 1);
	assert_int_equal(confwatch_new(&fd), 0);
	assert_false(confstamp_watch(config->stamp, fd));
	assert_false(confstamp_has_changed(config->stamp));
	assert_int_equal(mkdir(confdir_path("more"), 0755), 0);
	confdir_write("more/web.conf", "");
	assert_true(confstamp_has_changed(config->stamp));
	close(fd);
	config_free(config);
}

static void test_bad_files_have_a_stamp_too(void **state)
{
	struct config_errors errors = {0};
	struct confstamp *stamp = NULL;
	struct config *config = NULL;

	(void)state;
	confdir_write("conf.d/web.conf", "program \"web\" { comand = /bin/true }\n");
	assert_int_equal(
	    config_load_stamped(confdir_path("main.conf"), &config, &errors, &stamp), -22);
	assert_non_null(stamp);
	assert_false(confstamp_has_changed(stamp));
	confdir_write("conf.d/web.conf", STANZA);
	assert_true(confstamp_has_changed(stamp));
	confstamp_free(stamp);
	config_errors_done(&errors);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, confdir_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_edit_is_seen),
	    TEST(test_edit_of_the_first_file_is_seen),
	    TEST(test_new_file_is_seen),
	    TEST(test_removed_file_is_seen),
	    TEST(test_file_in_the_place_of_another_is_seen),
	    TEST(test_edit_behind_a_link_is_seen),
	    TEST(test_other_files_are_no_change),
	    TEST(test_directories_by_pattern_cannot_be_watched),
	    TEST(test_bad_files_have_a_stamp_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
