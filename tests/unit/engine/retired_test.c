/* SPDX-License-Identifier: ISC */
/* What is kept of a stanza that is gone: enough to wait for what its run still has to do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "supervisord/engine/retired.h"

/* A run that is not ready yet, and may not be stopped yet, is looked at again and again. */
static void test_looks_for_readiness_keep_their_pace(void **state)
{
	char name[] = "web", directory[] = "/";
	struct life_config life = {.key_type = TYPE_FORKING, .key_ready_interval = 300 * NS_PER_MS};
	struct program_config config = {.name = name, .life = &life, .key_directory = directory};
	struct program_config *last = retired_new(name, &config);

	(void)state;
	assert_non_null(last);
	assert_string_equal(last->name, "web");
	assert_int_equal(last->life->key_type, TYPE_FORKING);
	assert_int_equal(last->life->key_ready_interval, 300 * NS_PER_MS);
	retired_free(last);
	assert_true(retired_unknown.life->key_ready_interval > 0);
}

/* A worker of a cluster that is taken away leaves as any other does: told to, after its gap. */
static void test_a_worker_of_a_cluster_stays_one(void **state)
{
	char name[] = "web@3", directory[] = "/";
	struct life_config life = {.key_cluster = CLUSTER_SHARED, .key_cluster_gap = NS_PER_S};
	struct program_config config = {.name = name, .life = &life, .key_directory = directory};
	struct program_config *last;

	(void)state;
	life.key_stop_sequence.steps[0].signal = STOP_DISCONNECT;
	life.key_stop_sequence.count = 1;
	last = retired_new(name, &config);
	assert_non_null(last);
	assert_int_equal(last->life->key_cluster, CLUSTER_SHARED);
	assert_int_equal(last->life->key_cluster_gap, NS_PER_S);
	assert_int_equal(last->life->key_stop_sequence.steps[0].signal, STOP_DISCONNECT);
	retired_free(last);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_looks_for_readiness_keep_their_pace),
	    cmocka_unit_test(test_a_worker_of_a_cluster_stays_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
