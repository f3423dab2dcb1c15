/* SPDX-License-Identifier: ISC */
/* A configuration file that is edited by way of a copy: it is replaced as a whole, or left alone.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/limits.h"
#include "ctl/editfile.h"

static char directory[64];
static struct ctl ctl;

static const char *in(const char *name)
{
	static char paths[4][128];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
	return path;
}

static void put(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
	assert_int_equal(fclose(file), 0);
}

static void expect(const char *path, const char *text)
{
	char got[256];
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	got[fread(got, 1, sizeof(got) - 1, file)] = '\0';
	fclose(file);
	assert_string_equal(got, text);
}

/* How many files are there, by any name. */
static unsigned count_files(void)
{
	DIR *dir = opendir(directory);
	unsigned count = 0;

	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
		count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	closedir(dir);
	return count;
}

/* What was complained since. */
static bool complained(const char *about)
{
	bool found = ctl.err.data != NULL &&
		     memmem(ctl.err.data, ctl.err.length, about, strlen(about)) != NULL;

	ctl.err.length = 0;
	return found;
}

static int set_up(void **state)
{
	(void)state;
	snprintf(directory, sizeof(directory), "/tmp/editfile.XXXXXX");
	ctl = (struct ctl){.out.fd = -1, .err.fd = -1};
	return mkdtemp(directory) == NULL ? -1 : 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int tear_down(void **state)
{
	(void)state;
	out_done(&ctl.out);
	out_done(&ctl.err);
	return nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void test_finish_then_replaced_as_a_whole_with_its_mode(void **state)
{
	struct editfile file;
	struct stat st;

	(void)state;
	put(in("web.conf"), "old");
	assert_int_equal(chmod(in("web.conf"), 0640), 0);
	assert_int_equal(editfile_begin(&ctl, in("web.conf"), NULL, &file), EXITCODE_OK);
	/* Beside it, by a name that no wildcard means. */
	assert_int_equal(strncmp(file.copy, in(".web.conf."), strlen(in(".web.conf."))), 0);
	expect(file.copy, "old");
	assert_int_equal(editfile_is_same(&file), 1);
	/* As editors do that write a new file in place of the old one. */
	assert_int_equal(unlink(file.copy), 0);
	put(file.copy, "new");
	assert_int_equal(editfile_is_same(&file), 0);
	expect(in("web.conf"), "old");
	assert_int_equal(editfile_finish(&ctl, &file), EXITCODE_OK);
	expect(in("web.conf"), "new");
	assert_int_equal(stat(in("web.conf"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	editfile_done(&file, true);
	assert_int_equal(count_files(), 1);
}

static void test_finish_when_it_is_a_link_then_what_it_leads_to_is_replaced(void **state)
{
	struct editfile file;
	struct stat st;

	(void)state;
	put(in("real"), "old");
	assert_int_equal(symlink("real", in("web.conf")), 0);
	assert_int_equal(editfile_begin(&ctl, in("web.conf"), NULL, &file), EXITCODE_OK);
	put(file.copy, "new");
	assert_int_equal(editfile_finish(&ctl, &file), EXITCODE_OK);
	editfile_done(&file, false);
	expect(in("real"), "new");
	assert_int_equal(lstat(in("web.conf"), &st), 0);
	assert_true(S_ISLNK(st.st_mode));
}

/* Whoever it was, and however. */
static void test_finish_when_somebody_else_has_changed_it_then_left_alone(void **state)
{
	struct editfile file;

	(void)state;
	put(in("web.conf"), "old");
	assert_int_equal(editfile_begin(&ctl, in("web.conf"), NULL, &file), EXITCODE_OK);
	put(file.copy, "new");
	put(in("web.conf"), "odl");
	assert_int_equal(editfile_finish(&ctl, &file), EXITCODE_FAILED);
	assert_true(complained("somebody else has changed it meanwhile"));
	expect(in("web.conf"), "odl");
	/* Another file with the same text. */
	put(in("web.conf"), "old");
	put(in("other"), "old");
	assert_int_equal(rename(in("other"), in("web.conf")), 0);
	assert_int_equal(editfile_finish(&ctl, &file), EXITCODE_FAILED);
	assert_true(complained("somebody else has changed it meanwhile"));
	assert_int_equal(unlink(in("web.conf")), 0);
	assert_int_equal(editfile_finish(&ctl, &file), EXITCODE_FAILED);
	assert_true(complained("No such file"));
	/* What was written is not lost. */
	expect(file.copy, "new");
	editfile_done(&file, true);
	assert_int_equal(count_files(), 1);
}

static void test_finish_when_it_is_new_then_made_and_nobody_s_is_written_over(void **state)
{
	struct editfile file;
	struct stat st;

	(void)state;
	assert_int_equal(editfile_begin(&ctl, in("web.conf"), "begin", &file), EXITCODE_OK);
	expect(file.copy, "begin");
	assert_int_equal(count_files(), 1);
	put(in("web.conf"), "theirs");
	assert_int_equal(editfile_finish(&ctl, &file), EXITCODE_FAILED);
	assert_true(complained("somebody else has changed it meanwhile"));
	expect(in("web.conf"), "theirs");
	assert_int_equal(unlink(in("web.conf")), 0);
	assert_int_equal(editfile_finish(&ctl, &file), EXITCODE_OK);
	expect(in("web.conf"), "begin");
	assert_int_equal(stat(in("web.conf"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	editfile_done(&file, false);
	assert_int_equal(count_files(), 1);
}

/* The copy is not followed: its name is known, and others may write there. */
static void test_finish_when_the_copy_is_a_link_then_refused(void **state)
{
	struct editfile file;

	(void)state;
	put(in("web.conf"), "old");
	put(in("secret"), "secret");
	assert_int_equal(editfile_begin(&ctl, in("web.conf"), NULL, &file), EXITCODE_OK);
	assert_int_equal(unlink(file.copy), 0);
	assert_int_equal(symlink("secret", file.copy), 0);
	assert_int_not_equal(editfile_finish(&ctl, &file), EXITCODE_OK);
	expect(in("web.conf"), "old");
	editfile_done(&file, false);
	assert_int_equal(count_files(), 2);
}

static void test_begin_when_it_is_no_such_file_then_told_and_no_copy_is_left(void **state)
{
	struct editfile file;

	(void)state;
	assert_int_equal(editfile_begin(&ctl, in("none"), NULL, &file), EXITCODE_FAILED);
	assert_true(complained("No such file"));
	editfile_done(&file, false);
	assert_int_equal(editfile_begin(&ctl, directory, NULL, &file), EXITCODE_FAILED);
	editfile_done(&file, false);
	assert_int_equal(editfile_begin(&ctl, in("none/x"), "text", &file), EXITCODE_FAILED);
	editfile_done(&file, false);
	/* One that would not end, and one that nobody writes to. */
	assert_int_equal(mkfifo(in("fifo"), 0600), 0);
	assert_int_equal(editfile_begin(&ctl, in("fifo"), NULL, &file), EXITCODE_FAILED);
	editfile_done(&file, false);
	put(in("large"), "");
	assert_int_equal(truncate(in("large"), LIMIT_CONFIG_FILE_BYTES), 0);
	assert_int_equal(editfile_begin(&ctl, in("large"), NULL, &file), EXITCODE_OK);
	editfile_done(&file, false);
	assert_int_equal(truncate(in("large"), LIMIT_CONFIG_FILE_BYTES + 1), 0);
	assert_int_equal(editfile_begin(&ctl, in("large"), NULL, &file), EXITCODE_FAILED);
	editfile_done(&file, false);
	assert_int_equal(count_files(), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_finish_then_replaced_as_a_whole_with_its_mode, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_finish_when_it_is_a_link_then_what_it_leads_to_is_replaced, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_finish_when_somebody_else_has_changed_it_then_left_alone, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_finish_when_it_is_new_then_made_and_nobody_s_is_written_over, set_up,
		tear_down),
	    cmocka_unit_test_setup_teardown(
		test_finish_when_the_copy_is_a_link_then_refused, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_begin_when_it_is_no_such_file_then_told_and_no_copy_is_left, set_up,
		tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
