/* SPDX-License-Identifier: ISC */
/* Tests of supervisord/engine/mounts.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "supervisord/engine/mounts.h"

static void test_line_when_somebody_else_serves_it_then_a_look_may_hang(void **state)
{
	static const char *const lines[] = {
	    "98 28 0:52 / /srv/data rw,relatime shared:71 - nfs4 host:/data rw,vers=4.2\n",
	    "98 28 0:52 / /mnt/a\\040b rw - nfs host:/data rw\n",
	    "99 28 0:53 / /home/u/far rw,nosuid shared:72 master:2 - fuse.sshfs u@host: rw\n",
	    "99 28 0:53 / /mnt rw - fuse dead rw\n",
	    "99 28 0:53 / /mnt rw - cifs //host/share rw\n",
	    "99 28 0:53 / /misc rw shared:3 - autofs /etc/auto.misc rw\n",
	    "99 28 0:53 /sub /process rw - virtiofs tag rw\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_true(mounts_is_served(lines[i]));
}

static void test_line_when_it_is_ours_or_where_no_program_is_then_not(void **state)
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
		assert_false(mounts_is_served(lines[i]));
}

static void test_list_when_asked_again_then_says_the_same(void **state)
{
	struct mounts mounts = {0};
	bool first = mounts_may_hang(&mounts);

	(void)state;
	assert_true(mounts.open);
	assert_int_equal(mounts_may_hang(&mounts), first);
	mounts_done(&mounts);
	assert_false(mounts.open);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_line_when_somebody_else_serves_it_then_a_look_may_hang),
	    cmocka_unit_test(test_line_when_it_is_ours_or_where_no_program_is_then_not),
	    cmocka_unit_test(test_list_when_asked_again_then_says_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
