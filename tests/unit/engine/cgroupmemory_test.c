/* SPDX-License-Identifier: ISC */
/* cgroupmemory_test.c: what the memory controller says of a leaf, in directories that are made up.
 */
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
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "supervisord/engine/cgroupmemory.h"
#include "supervisord/engine/reason.h"

#define MB (1024 * 1024LL)

/* "…/above/base" with the leaf "5-web". */
struct world {
	char path[64];
	int above;
	struct cgroups cgroups;
};

static void put(int directory, const char *path, const char *text)
{
	int fd = openat(directory, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static int make_world(void **state)
{
	static struct world world;

	(void)snprintf(world.path, sizeof(world.path), "/tmp/cgroupmemory.XXXXXX");
	assert_non_null(mkdtemp(world.path));
	world.above = open(world.path, O_RDONLY | O_DIRECTORY);
	assert_int_equal(mkdirat(world.above, "base", 0700), 0);
	assert_int_equal(mkdirat(world.above, "base/5-web", 0700), 0);
	world.cgroups =
	    (struct cgroups){.base = openat(world.above, "base", O_RDONLY | O_DIRECTORY)};
	*state = &world;
	return 0;
}

static int remove_world(void **state)
{
	static const char *const files[] = {"memory.max", "base/memory.max",
	    "base/cgroup.subtree_control", "base/5-web/memory.max", "base/5-web/memory.peak",
	    "base/5-web/memory.events"};
	struct world *world = *state;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		(void)unlinkat(world->above, files[i], 0);
	(void)unlinkat(world->above, "base/5-web", AT_REMOVEDIR);
	(void)unlinkat(world->above, "base", AT_REMOVEDIR);
	close(world->cgroups.base);
	close(world->above);
	return rmdir(world->path);
}

static void test_look_when_killed_then_limit_peak_and_count(void **state)
{
	struct world *world = *state;
	struct cgroup_memory memory;

	put(world->above, "base/5-web/memory.events",
	    "low 0\nhigh 0\nmax 12\noom 2\noom_kill 3\noom_group_kill 0\n");
	put(world->above, "base/5-web/memory.peak", "67104768\n");
	put(world->above, "base/5-web/memory.max", "67108864\n");
	assert_int_equal(cgroup_memory_look(&world->cgroups, 5, "web", &memory), 0);
	assert_int_equal(memory.oom_kills, 3);
	assert_int_equal(memory.peak_bytes, 67104768);
	assert_int_equal(memory.limit_bytes, 64 * MB);
}

/* The limit that was met may be that of what the leaf is in. */
static void test_look_when_limits_above_then_the_least(void **state)
{
	struct world *world = *state;
	struct cgroup_memory memory;

	put(world->above, "base/5-web/memory.events", "oom 0\noom_kill 0\n");
	put(world->above, "base/5-web/memory.max", "max\n");
	put(world->above, "base/memory.max", "104857600\n");
	put(world->above, "memory.max", "52428800\n");
	assert_int_equal(cgroup_memory_look(&world->cgroups, 5, "web", &memory), 0);
	assert_int_equal(memory.oom_kills, 0);
	assert_int_equal(memory.peak_bytes, 0);
	assert_int_equal(memory.limit_bytes, 50 * MB);
}

static void test_look_when_no_controller_then_said(void **state)
{
	struct world *world = *state;
	struct cgroup_memory memory;

	assert_int_equal(cgroup_memory_look(&world->cgroups, 5, "web", &memory), -ENOENT);
	assert_int_equal(cgroup_memory_look(&world->cgroups, 6, "web", &memory), -ENOENT);
	put(world->above, "base/5-web/memory.events", "oom 1\n");
	assert_int_equal(cgroup_memory_look(&world->cgroups, 5, "web", &memory), -EBADMSG);
}

static void test_enable_when_refused_or_had_then_said(void **state)
{
	struct world *world = *state;

	assert_false(cgroup_memory_enable(world->cgroups.base));
	/* A file of ours takes the word that the kernel would turn into its own list. */
	put(world->above, "base/cgroup.subtree_control", "");
	assert_false(cgroup_memory_enable(world->cgroups.base));
	put(world->above, "base/cgroup.subtree_control", "+memory cpu memory pids\n");
	assert_true(cgroup_memory_enable(world->cgroups.base));
}

static void test_end_when_of_each_kind_then_in_words(void **state)
{
	static const struct {
		int wstatus;
		struct exit_finding finding;
		const char *text;
	} rows[] = {
	    {9, {EXIT_PLAIN, 0, 0, 0}, "was killed by signal KILL"},
	    {9, {EXIT_OOM, 0, 65532, 65536},
		"was killed by the kernel: out of memory (limit 64M, peak 64M)"},
	    {9, {EXIT_OOM, 0, 1024, 0}, "was killed by the kernel: out of memory (peak 1M)"},
	    {9, {EXIT_OOM, 0, 0, 0}, "was killed by the kernel: out of memory"},
	    {137 << 8, {EXIT_OOM_OTHER, 0, 0, 65536},
		"exited with status 137; the kernel has killed a process of it: out of memory "
		"(limit 64M)"},
	    {15, {EXIT_BY_OPERATOR, 33, 0, 0}, "was killed by signal TERM, sent by uid 33"},
	    {9, {EXIT_STRANGER, 0, 0, 0}, "was killed by signal KILL, not sent by supervisord"},
	    {9, {EXIT_OOM_LIKELY, 0, 0, 0},
		"was killed by signal KILL, not sent by supervisord: the kernel's OOM killer was "
		"at "
		"work on this machine"},
	};
	char text[REASON_END_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(
		    reason_end_text(rows[i].wstatus, &rows[i].finding, text, sizeof(text)),
		    rows[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_look_when_killed_then_limit_peak_and_count, make_world, remove_world),
	    cmocka_unit_test_setup_teardown(
		test_look_when_limits_above_then_the_least, make_world, remove_world),
	    cmocka_unit_test_setup_teardown(
		test_look_when_no_controller_then_said, make_world, remove_world),
	    cmocka_unit_test_setup_teardown(
		test_enable_when_refused_or_had_then_said, make_world, remove_world),
	    cmocka_unit_test(test_end_when_of_each_kind_then_in_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
