/* SPDX-License-Identifier: ISC */
/* cluster: the primary that a program gets for it, what becomes of its workers, and what is
 * refused. */
#include "tests/unit/engine/confdir.h"

#include <signal.h>

#include "lib/clock.h"

static const struct program_config *find(const struct config *config, const char *name)
{
	const struct program_config *program = config_find_program(config, name);

	assert_non_null(program);
	return program;
}

static void test_cluster_when_given_then_one_primary_for_all_workers(void **state)
{
	struct config *config = confdir_accept(
	    "program web { command = x instances = 3 user = \"nobody\" umask = \"027\"\n"
	    " cluster = shared cluster_listen = {\"tcp:80\", \"unix:/run/w/*\"} stop_timeout = 7s\n"
	    " restart = never start_limit = 3 environment = {\"A=1\"} requires = {\"db\"} }\n"
	    "program db { command = x }\n");
	const struct program_config *primary = find(config, "web+cluster");

	(void)state;
	assert_int_equal(config->program_count, 5);
	assert_non_null(strstr(primary->key_command[0], "/cluster"));
	assert_string_equal(primary->key_command[1], "--mode");
	assert_string_equal(primary->key_command[2], "shared");
	assert_string_equal(primary->key_command[3], "--listen");
	assert_string_equal(primary->key_command[4], "tcp:80");
	assert_string_equal(primary->key_command[6], "unix:/run/w/*");
	assert_null(primary->key_command[7]);
	/* As the workers, but that it is always there. */
	assert_string_equal(primary->key_user, "nobody");
	assert_int_equal(primary->key_umask, 027);
	assert_int_equal(primary->key_restart, RESTART_ALWAYS);
	assert_int_equal(primary->key_start_limit, 0);
	assert_int_equal(primary->life->key_cluster, CLUSTER_NONE);
	assert_null(primary->life->key_requires);
	for (char name[] = "web@1"; name[4] <= '3'; name[4]++) {
		const struct program_config *worker = find(config, name);

		assert_int_equal(worker->life->key_cluster, CLUSTER_SHARED);
		assert_string_equal(worker->life->key_wants[0], "web+cluster:started");
		assert_string_equal(worker->life->key_requires[0], "db");
		assert_int_equal(worker->life->key_ready.kind, CHECK_LISTENING);
		assert_int_equal(worker->key_restart, RESTART_NEVER);
		/* Told to disconnect, and only then as everybody. */
		assert_int_equal(worker->life->key_stop_sequence.count, 2);
		assert_int_equal(worker->life->key_stop_sequence.steps[0].signal, STOP_DISCONNECT);
		assert_int_equal(worker->life->key_stop_sequence.steps[0].wait_ns, 7 * NS_PER_S);
		assert_int_equal(worker->life->key_stop_sequence.steps[1].signal, SIGTERM);
	}
	config_free(config);
}

static void test_cluster_when_no_place_is_given_then_unprivileged_ones(void **state)
{
	struct config *config =
	    confdir_accept("program web { command = x cluster = reuse-port }\n");
	const struct program_config *primary = find(config, "web+cluster");

	(void)state;
	assert_string_equal(primary->key_command[2], "reuse-port");
	assert_string_equal(primary->key_command[4], "tcp:*");
	assert_string_equal(primary->key_command[6], "udp:*");
	assert_string_equal(primary->key_command[8], "unix:*");
	assert_null(primary->key_command[9]);
	config_free(config);
}

static void test_ready_when_the_stanza_says_it_then_that(void **state)
{
	struct config *config =
	    confdir_accept("program a { command = x cluster = shared ready = none }\n"
			   "program b { command = x cluster = shared ready = ipc }\n"
			   "program c { command = x cluster = shared ready = \"exec:/bin/true\" }\n"
			   "program d { command = x cluster = shared ready = listening }\n"
			   "program e { command = x cluster = shared }\n");

	(void)state;
	assert_int_equal(find(config, "a")->life->key_ready.kind, CHECK_NONE);
	assert_int_equal(find(config, "b")->life->key_ready.kind, CHECK_IPC);
	assert_int_equal(find(config, "c")->life->key_ready.kind, CHECK_EXEC);
	assert_int_equal(find(config, "d")->life->key_ready.kind, CHECK_LISTENING);
	assert_int_equal(find(config, "e")->life->key_ready.kind, CHECK_LISTENING);
	config_free(config);
}

static void test_stop_sequence_when_the_stanza_has_one_then_behind_the_word(void **state)
{
	struct config *config = confdir_accept("program a { command = x cluster = shared\n"
					       " stop_sequence = {\"INT:2s\", \"TERM:3s\"} }\n");
	const struct stop_sequence *sequence = &find(config, "a")->life->key_stop_sequence;

	(void)state;
	assert_int_equal(sequence->count, 3);
	assert_int_equal(sequence->steps[0].signal, STOP_DISCONNECT);
	assert_int_equal(sequence->steps[1].signal, SIGINT);
	assert_int_equal(sequence->steps[2].signal, SIGTERM);
	config_free(config);
}

static void test_cluster_when_it_cannot_be_then_refused(void **state)
{
	(void)state;
	confdir_refuse(
	    "program a { command = x cluster = shared\n cluster_listen = {\"8080\", \"tcp:80\"} }\n"
	    "program b { command = x\n cluster_listen = {\"tcp:80\"} }\n"
	    "program c { command = x cluster = shared\n instances = 129 }\n"
	    "program d { command = x type = oneshot\n cluster = shared }\n"
	    "program e { command = x cluster = shared update = start-first instances = 127\n"
	    " max_surge = 2 }\n"
	    "program f { command = x\n ready = listening }\n"
	    "program g { command = x\n cluster = all }\n",
	    "@/main.conf:2: cluster_listen: '8080' is no place to listen: tcp:, udp: or "
	    "unix: is allowed in front\n"
	    "@/main.conf:4: cluster_listen: is for the workers of a cluster, and cluster is none: "
	    "cluster = \"round-robin\" is allowed\n"
	    "@/main.conf:6: instances: is 129: at most 128 workers of a cluster are allowed\n"
	    "@/main.conf:8: cluster: is for programs of type \"service\"\n"
	    "@/main.conf:10: max_surge: makes 129 workers of 127 at an update: at most 128 workers "
	    "of a cluster are allowed\n"
	    "@/main.conf:12: ready: 'listening' is for the workers of a cluster, and cluster is "
	    "none\n"
	    "@/main.conf:14: cluster: 'all' is not known: none, round-robin, shared or reuse-port "
	    "is allowed\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_cluster_when_given_then_one_primary_for_all_workers),
	    cmocka_unit_test(test_cluster_when_no_place_is_given_then_unprivileged_ones),
	    cmocka_unit_test(test_ready_when_the_stanza_says_it_then_that),
	    cmocka_unit_test(test_stop_sequence_when_the_stanza_has_one_then_behind_the_word),
	    cmocka_unit_test(test_cluster_when_it_cannot_be_then_refused),
	};

	return cmocka_run_group_tests(tests, confdir_setup, confdir_teardown);
}
