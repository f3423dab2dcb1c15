/* SPDX-License-Identifier: ISC */
/* Tests of supervisord/engine/mounts.h. */
#define _GNU_SOURCE /* asprintf */
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

#include "supervisord/engine/mounts.h"

static void test_line_when_somebody_else_serves_it_then_where(void **state)
{
	static const char *const lines[][2] = {
	    {"98 28 0:52 / /srv/data rw,relatime shared:71 - nfs4 host:/data rw,vers=4.2\n",
		"/srv/data"},
	    {"98 28 0:52 / /mnt/a\\040b\\134c rw - nfs host:/data rw\n", "/mnt/a b\\c"},
	    {"99 28 0:53 / /home/u/far rw,nosuid shared:72 master:2 - fuse.sshfs u@host: rw\n",
		"/home/u/far"},
	    {"99 28 0:53 / /mnt rw - fuse dead rw\n", "/mnt"},
	    {"99 28 0:53 / /mnt rw - cifs //host/share rw\n", "/mnt"},
	    {"99 28 0:53 / /misc rw shared:3 - autofs /etc/auto.misc rw\n", "/misc"},
	    {"99 28 0:53 /sub /process rw - virtiofs tag rw\n", "/process"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char *point = mounts_read_line(lines[i][0]);

		assert_string_equal(point, lines[i][1]);
		free(point);
	}
}

static void test_line_when_it_is_ours_or_where_no_program_is_then_none(void **state)
{
	static const char *const lines[] = {
	    "28 1 253:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n",
	    "28 1 0:20 / / rw - virtiofs root rw\n", /* where it hangs, so do we */
	    "30 28 0:26 / /dev/shm rw - tmpfs nfs rw\n",
	    "35 25 0:31 / /sys/fs/fuse/connections rw - fusectl fusectl rw\n",
	    "36 23 0:32 / /proc/sys/fs/binfmt_misc rw - autofs systemd-1 rw\n",
	    "37 23 0:33 / /proc/meminfo rw - fuse.lxcfs lxcfs rw\n",
	    "38 28 8:1 / /nfs rw - nfsx /dev/sda1 rw\n",
	    "39 28 8:1 / /a\n",
	    "",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_null(mounts_read_line(lines[i]));
}

static void test_list_when_asked_again_then_says_the_same(void **state)
{
	struct mounts mounts = {0};
	bool first = mounts_update(&mounts);

	(void)state;
	assert_true(mounts.open);
	assert_int_equal(mounts_update(&mounts), first);
	mounts_done(&mounts);
	assert_false(mounts.open);
	assert_int_equal(mounts.count, 0);
}

/* In a directory of its own: what leads to DIR/served, which is not there to be touched. */
static void test_path_then_its_links_are_followed_up_to_what_is_served(void **state)
{
	static const char *const links[][2] = {{"to", "served"}, {"far", "dir/../to"},
	    {"up", "../../../../../../../../../.."}, {"loop", "loop"}, {"dir/back", "../served/x"},
	    {"dir/absolute", NULL}};
	static const struct {
		const char *path;
		bool leads;
	} paths[] = {{"served", true}, {"served/bin/x", true}, {"./dir/.././served/", true},
	    {"servedx", false}, {"dir", false}, {"dir/file", false}, {"to", true}, {"to/x", true},
	    {"far/x", true}, {"dir/back", true}, {"dir/absolute/x", true}, {"loop", false},
	    {"loop/served", false}, {"none/../served", false}, {"up/usr", false}, {"", false}};
	char directory[] = "/tmp/mounts_test.XXXXXX", *path, *served;
	struct mounts mounts = {.count = 1};

	(void)state;
	assert_non_null(mkdtemp(directory));
	/* The walk does without links in front of it. */
	assert_true(chdir(directory) == 0 && mkdir("dir", 0700) == 0);
	path = realpath(".", NULL);
	assert_true(asprintf(&served, "%s/served", path) > 0);
	mounts.points[0] = served;
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		assert_int_equal(
		    symlink(links[i][1] != NULL ? links[i][1] : served, links[i][0]), 0);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		char *full;

		assert_true(asprintf(&full, "%s/%s", path, paths[i].path) > 0);
		if (mounts_may_hang(&mounts, full) != paths[i].leads)
			fail_msg("%s", paths[i].path);
		free(full);
	}
	mounts.everywhere = true;
	assert_true(mounts_may_hang(&mounts, "/usr"));
	mounts_done(&mounts);
	assert_false(mounts_may_hang(&mounts, "/usr"));
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		unlink(links[i][0]);
	assert_true(rmdir("dir") == 0 && chdir("/") == 0 && rmdir(directory) == 0);
	free(path);
}

static void test_path_when_too_long_then_it_leads_nowhere(void **state)
{
	char point[] = "/served";
	struct mounts mounts = {.count = 1, .points = {point}};
	char path[2 * 4096];

	(void)state;
	memset(path, '/', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	assert_false(mounts_may_hang(&mounts, path));
	memset(path + 1, 'a', 4000);
	path[4001] = '\0';
	assert_false(mounts_may_hang(&mounts, path));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_line_when_somebody_else_serves_it_then_where),
	    cmocka_unit_test(test_line_when_it_is_ours_or_where_no_program_is_then_none),
	    cmocka_unit_test(test_list_when_asked_again_then_says_the_same),
	    cmocka_unit_test(test_path_then_its_links_are_followed_up_to_what_is_served),
	    cmocka_unit_test(test_path_when_too_long_then_it_leads_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
