/* SPDX-License-Identifier: ISC */
/* ledger_test.c: rows, exit mailboxes, and a writer that is killed at any instruction. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/ledger.h"

static int make_ledger(void **context)
{
	static struct ledger *ledger;
	int fd;

	assert_int_equal(ledger_create(&fd, &ledger), 0);
	close(fd);
	*context = ledger;
	return 0;
}

static int drop_ledger(void **context)
{
	return munmap(*context, sizeof(struct ledger));
}

static void test_claim_when_name_is_new_then_row_has_its_first_state(void **context)
{
	struct ledger *ledger = *context;
	struct ledger_state state = {.state = 3, .wanted = 1, .deadline_ns = 42};
	int row = ledger_claim_row(ledger, "web@3", NULL, &state, NULL, NULL);

	assert_true(row >= 0);
	assert_int_equal(ledger_find_row(ledger, "web@3"), row);
	assert_int_equal(ledger_find_row(ledger, "web"), -1);
	assert_memory_equal(ledger_get_state(ledger, row), &state, sizeof(state));
}

static void test_claim_when_a_row_was_freed_then_it_is_used_again(void **context)
{
	struct ledger *ledger = *context;
	struct ledger_state state = {0};
	int first = ledger_claim_row(ledger, "a", NULL, &state, NULL, NULL);

	assert_int_not_equal(ledger_claim_row(ledger, "b", NULL, &state, NULL, NULL), first);
	ledger_post_exit(ledger, first, &(struct ledger_exit){.run = 1});
	assert_true(ledger_has_exit(ledger, first));
	assert_false(ledger_has_exit(ledger, first + 1));
	ledger_clear_exit(ledger, first);
	assert_false(ledger_has_exit(ledger, first));
	ledger_post_exit(ledger, first, &(struct ledger_exit){.run = 1});
	memcpy(ledger->status_text[first], "said", sizeof("said"));
	ledger_free_row(ledger, first);
	assert_int_equal(ledger_find_row(ledger, "a"), -1);
	assert_int_equal(ledger_claim_row(ledger, "c", NULL, &state, NULL, NULL), first);
	assert_int_equal(ledger->exits[first].run, 0);
	assert_string_equal(ledger->status_text[first], "");
	assert_int_equal(ledger_next_exit(ledger, 0), -1);
}

static bool is_not_first(const void *context, int row)
{
	return row != *(const int *)context;
}

static void test_claim_when_a_free_row_is_refused_then_another(void **context)
{
	struct ledger *ledger = *context;
	struct ledger_state state = {0};
	int first = ledger_claim_row(ledger, "a", NULL, &state, NULL, NULL);

	ledger_free_row(ledger, first);
	assert_int_not_equal(
	    ledger_claim_row(ledger, "b", NULL, &state, is_not_first, &first), first);
	assert_int_equal(ledger_claim_row(ledger, "c", NULL, &state, NULL, NULL), first);
}

static void test_claim_when_name_is_bad_then_refused(void **context)
{
	char name[LIMIT_NAME + 1];
	struct ledger_state state = {0};

	memset(name, 'x', LIMIT_NAME);
	name[LIMIT_NAME] = '\0';
	assert_int_equal(ledger_claim_row(*context, name, NULL, &state, NULL, NULL), -ENAMETOOLONG);
	assert_int_equal(ledger_claim_row(*context, "", NULL, &state, NULL, NULL), -ENAMETOOLONG);
	name[LIMIT_NAME - 1] = '\0';
	assert_true(ledger_claim_row(*context, name, NULL, &state, NULL, NULL) >= 0);
}

static void test_claim_when_all_rows_are_taken_then_enospc(void **context)
{
	struct ledger *ledger = *context;
	struct ledger_state state = {0};

	for (int row = 0; row < LIMIT_ROWS; row++)
		ledger->table[row].name[0] = 'x';
	atomic_store(&ledger->header.rows_high, LIMIT_ROWS);
	assert_int_equal(ledger_claim_row(ledger, "one-more", NULL, &state, NULL, NULL), -ENOSPC);
}

static void test_exit_when_posted_then_pid_is_out_and_news_are_found_once(void **context)
{
	struct ledger *ledger = *context;
	struct ledger_exit end = {.run = 7, .wstatus = 256, .pid = 1234};

	atomic_store(&ledger->header.rows_high, 200);
	atomic_store(&ledger->pids[130], 1234);
	assert_int_equal(ledger_find_pid(ledger, 1234), 130);
	ledger_post_exit(ledger, 130, &end);
	assert_int_equal(ledger_find_pid(ledger, 1234), -1);
	assert_int_equal(ledger_next_exit(ledger, 0), 130);
	assert_int_equal(ledger_next_exit(ledger, 130), 130);
	assert_int_equal(ledger_next_exit(ledger, 131), -1);
	assert_int_equal(ledger->exits[130].run, 7);
	ledger_clear_exit(ledger, 130);
	assert_int_equal(ledger_next_exit(ledger, 0), -1);
}

static void test_map_when_not_a_ledger_then_eproto(void **context)
{
	struct ledger *mapped;
	int fd = memfd_create("other", MFD_CLOEXEC);

	(void)context;
	assert_int_equal(ledger_map(fd, &mapped), -EPROTO);
	assert_int_equal(ftruncate(fd, sizeof(struct ledger)), 0);
	assert_int_equal(ledger_map(fd, &mapped), -EPROTO);
	close(fd);
}

/* Every committed state is made of one number; a mixture would show two. */
static void fill(struct ledger_state *state, uint64_t number)
{
	state->run_acted = state->starts = state->config_hash = number;
	state->since_ns = state->since_wall_ns = state->window_ns = (int64_t)number;
	state->deadline_ns = state->run_start_ns = (int64_t)number;
}

static void test_commit_when_the_writer_is_killed_then_the_state_is_whole(void **context)
{
	struct ledger *ledger = *context;
	struct ledger_state state = {0};
	int row = ledger_claim_row(ledger, "a", NULL, &state, NULL, NULL);

	for (int round = 0; round < 100; round++) {
		const struct ledger_state *seen;
		pid_t child = fork();

		assert_true(child >= 0);
		if (child == 0) {
			for (uint64_t number = 1;; number++) {
				fill(&state, number);
				ledger_commit_state(ledger, row, &state);
			}
		}
		while (ledger_get_state(ledger, row)->starts < (uint64_t)round * 10)
			;
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, NULL, 0), child);
		seen = ledger_get_state(ledger, row);
		fill(&state, seen->starts);
		assert_memory_equal(seen, &state, sizeof(state));
	}
}

static void test_map_when_it_is_read_only_then_seen_and_never_written(void **context)
{
	const struct ledger *seen;
	struct ledger *ledger, *second;
	int fd, copy;

	(void)context;
	assert_int_equal(ledger_create(&fd, &ledger), 0);
	assert_int_equal(ledger_open_readonly(fd, &copy), 0);
	assert_int_equal(ledger_map(copy, &second), -EACCES);
	assert_int_equal(ledger_map_readonly(copy, &seen), 0);
	atomic_store(&ledger->table[5].run, 7);
	assert_int_equal(atomic_load(&seen->table[5].run), 7);
	close(fd);
	close(copy);
	munmap(ledger, sizeof(*ledger));
	munmap((void *)(uintptr_t)seen, sizeof(*seen));
}

static void test_rename_when_one_name_begins_the_other_then_the_row_has_it(void **context)
{
	struct ledger *ledger = *context;
	struct ledger_state state = {.starts = 3};
	int row = ledger_claim_row(ledger, "web", NULL, &state, NULL, NULL);

	ledger_rename_row(ledger, row, "web@1");
	assert_string_equal(ledger->table[row].name, "web@1");
	assert_int_equal(ledger_find_row(ledger, "web@1"), row);
	assert_int_equal(ledger_find_row(ledger, "web"), -1);
	ledger_rename_row(ledger, row, "web");
	assert_string_equal(ledger->table[row].name, "web");
	assert_int_equal(ledger_get_state(ledger, row)->starts, 3);
}

static void test_rename_when_the_writer_is_killed_then_the_name_is_the_old_or_the_new_one(
    void **context)
{
	struct ledger *ledger = *context;
	struct ledger_state state = {0};
	int row = ledger_claim_row(ledger, "web", NULL, &state, NULL, NULL);

	for (int round = 0; round < 20; round++) {
		pid_t child = fork();

		if (child == 0) {
			for (;;) {
				ledger_rename_row(ledger, row, "web@1");
				ledger_rename_row(ledger, row, "web");
			}
		}
		for (int i = 0; i < 1000; i++)
			sched_yield();
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, NULL, 0), child);
		if (strcmp(ledger->table[row].name, "web@1") != 0)
			assert_string_equal(ledger->table[row].name, "web");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_claim_when_name_is_new_then_row_has_its_first_state, make_ledger, drop_ledger),
	    cmocka_unit_test_setup_teardown(
		test_claim_when_a_free_row_is_refused_then_another, make_ledger, drop_ledger),
	    cmocka_unit_test_setup_teardown(
		test_claim_when_a_row_was_freed_then_it_is_used_again, make_ledger, drop_ledger),
	    cmocka_unit_test_setup_teardown(
		test_claim_when_name_is_bad_then_refused, make_ledger, drop_ledger),
	    cmocka_unit_test_setup_teardown(
		test_claim_when_all_rows_are_taken_then_enospc, make_ledger, drop_ledger),
	    cmocka_unit_test_setup_teardown(
		test_exit_when_posted_then_pid_is_out_and_news_are_found_once, make_ledger,
		drop_ledger),
	    cmocka_unit_test_setup_teardown(
		test_rename_when_one_name_begins_the_other_then_the_row_has_it, make_ledger,
		drop_ledger),
	    cmocka_unit_test_setup_teardown(
		test_rename_when_the_writer_is_killed_then_the_name_is_the_old_or_the_new_one,
		make_ledger, drop_ledger),
	    cmocka_unit_test(test_map_when_not_a_ledger_then_eproto),
	    cmocka_unit_test(test_map_when_it_is_read_only_then_seen_and_never_written),
	    cmocka_unit_test_setup_teardown(
		test_commit_when_the_writer_is_killed_then_the_state_is_whole, make_ledger,
		drop_ledger),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
