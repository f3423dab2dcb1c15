/* SPDX-License-Identifier: ISC */
/* Tests of supervisord/engine/confaccept.c: accept = true, and what cannot be had with it. */
#include "tests/unit/engine/confdir.h"

#define SOCKET "socket \"a\" { listen = {\"tcp:1\", \"unix:@a\", \"unix-seqpacket:@b\"} }\n"
#define PROGRAM(more)                                                                              \
	SOCKET "program \"p\" { command = \"/bin/true\" sockets = {\"a\"} accept = true " more     \
	       " }\n"

static void test_accept_makes_a_place_for_each_connection(void **state)
{
	struct config *config = confdir_accept(PROGRAM("max_connections = 3"));
	const struct program_config *third = config_find_program(config, "p@3");

	(void)state;
	assert_int_equal(config->program_count, 3);
	assert_non_null(third);
	assert_int_equal(third->instances, 3);
	assert_true(third->life->key_accept);
	assert_int_equal(third->life->key_start, START_ON_DEMAND);
	assert_int_equal(third->life->key_max_connections_per_source, 0);
	config_free(config);
}

static void test_accept_without_a_limit_has_64_places(void **state)
{
	struct config *config = confdir_accept(PROGRAM(""));

	(void)state;
	assert_int_equal(config_count_instances(config, "p"), 64);
	config_free(config);
}

static void test_trigger_limit_is_none_unless_it_is_written(void **state)
{
	struct config *config = confdir_accept(PROGRAM("max_connections = 1"));

	(void)state;
	assert_int_equal(config_find_program(config, "p")->life->key_trigger_limit, 0);
	config_free(config);
	config = confdir_accept(PROGRAM("max_connections = 1 trigger_limit = 20"));
	assert_int_equal(config_find_program(config, "p")->life->key_trigger_limit, 20);
	config_free(config);
	config = confdir_accept("defaults { trigger_limit = 30 }\n" PROGRAM("max_connections = 1"));
	assert_int_equal(config_find_program(config, "p")->life->key_trigger_limit, 30);
	config_free(config);
}

/* It is written into the run, whether the stanza says something else later or not. */
static void test_hash_tells_runs_with_a_connection_from_others(void **state)
{
	struct config *with = confdir_accept(PROGRAM("max_connections = 1"));
	struct config *without =
	    confdir_accept(SOCKET "program \"p\" { command = \"/bin/true\" sockets = {\"a\"} }\n");

	(void)state;
	assert_true(config_find_program(with, "p")->hash & 1);
	assert_false(config_find_program(without, "p")->hash & 1);
	config_free(with);
	config_free(without);
}

static void test_all_connections_have_one_log(void **state)
{
	struct config *config = confdir_accept(PROGRAM("max_connections = 2"));
	char *path = config_log_path(config, config_find_program(config, "p@2"), 0);

	(void)state;
	assert_non_null(path);
	assert_string_equal(strrchr(path, '/'), "/p.log");
	free(path);
	config_free(config);
}

static void test_accept_and_what_means_nothing_with_it_is_refused(void **state)
{
	static const struct {
		const char *keys;
		const char *told;
	} cases[] = {
	    {"start = \"now\"", "start: is said by accept = true: connections start it"},
	    {"instances = 2", "instances: is said by accept = true: max_connections is how many "
			      "there are at most"},
	    {"update = \"rolling\"",
		"update: is not for accept = true: an apply leaves the connections alone"},
	    {"type = \"oneshot\"", "type: is to be \"service\" with accept = true"},
	    {"cluster = \"round-robin\"", "cluster: cannot be had with accept = true: the workers "
					  "of a cluster accept themselves"},
	    {"ready = \"tcp:127.0.0.1:1\"",
		"ready: is not for accept = true: nobody waits for the run of a connection"},
	    {"health { check = \"tcp:127.0.0.1:1\" }",
		"health.check: is not for accept = true: who is connected sees for himself"},
	    {"watchdog = 10s",
		"watchdog: is not for accept = true: max_runtime ends what takes too long"},
	    {"pre_start = \"/bin/true\"",
		"pre_start: is not for accept = true: the connection would have to wait for it"},
	    {"idle_stop = 10s",
		"idle_stop: is not for accept = true: max_runtime ends what takes too long"},
	    {"tty = true",
		"tty: cannot be had with accept = true: the connection is what it talks to"},
	    {"log_filter = \"exec:/bin/cat\"", "log_filter: cannot be had with accept = true: "
					       "there would be a filter a connection"},
	    {"restart = \"always\"", "restart: is \"never\" with accept = true: the connection has "
				     "ended with the run"},
	};
	char text[1024], told[512];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)snprintf(text, sizeof(text), PROGRAM("%s"), cases[i].keys);
		(void)snprintf(told, sizeof(told), "@/main.conf:2: %s\n", cases[i].told);
		confdir_refuse(text, told);
	}
}

/* Defaults are for all programs: those that only would do nothing are no mistake. */
static void test_accept_puts_up_with_a_restart_of_the_defaults(void **state)
{
	(void)state;
	config_free(confdir_accept("defaults { restart = \"always\" }\n" PROGRAM("")));
}

static void test_accept_is_for_sockets_that_clients_connect_to(void **state)
{
	(void)state;
	confdir_refuse("program \"p\" { command = \"/bin/true\" accept = true }\n",
	    "@/main.conf:1: accept: is for programs with sockets: sockets = {\"NAME\"} is "
	    "needed\n");
	confdir_refuse("socket \"u\" { listen = {\"udp:1\", \"tcp:1\"} }\nprogram \"p\" { command "
		       "= \"/bin/true\" sockets = {\"u\"} accept = true }\n",
	    "@/main.conf:2: accept: cannot be had with 'udp:1': nobody connects there (tcp, unix "
	    "and unix-seqpacket are allowed)\n");
}

static void test_as_standard_input_it_may_come_from_any_of_several_addresses(void **state)
{
	(void)state;
	config_free(confdir_accept(PROGRAM("socket_as = \"stdin\"")));
	confdir_refuse(PROGRAM("socket_as = \"stdin\" stdin = \"file:/etc/motd\""),
	    "@/main.conf:2: socket_as: 'stdin' cannot be had with a stdin of its own\n");
}

static void test_limits_without_accept_are_refused(void **state)
{
	(void)state;
	confdir_refuse("program \"p\" { command = \"/bin/true\" max_connections = 3 }\n",
	    "@/main.conf:1: max_connections: is for programs that get one connection each: accept "
	    "= true is needed\n");
	config_free(confdir_accept("program \"p\" { command = \"/bin/true\" max_connections = 64 "
				   "max_connections_per_source = 0 }\n"));
	confdir_refuse(PROGRAM("max_connections = 0"),
	    "@/main.conf:2: max_connections: '0' is out of range: a whole number from 1 to 1024 is "
	    "allowed\n");
}

static void test_nobody_can_require_what_runs_for_connections(void **state)
{
	(void)state;
	confdir_refuse(PROGRAM("max_connections = 2") "program \"q\" { command = \"/bin/true\" "
						      "wants = {\"p\"} }\n",
	    "@/main.conf:3: wants: 'p': program 'p' has accept = true, so it only runs while "
	    "somebody is connected: after is allowed\n");
	config_free(confdir_accept(PROGRAM("") "program \"q\" { command = \"/bin/true\" after = "
					       "{\"p\"} }\n"));
	confdir_refuse(PROGRAM("max_connections = 1") "program \"q\" { command = \"/bin/true\" "
						      "stdout = \"program:p\" }\n",
	    "@/main.conf:3: stdout: program 'p' has accept = true: it runs for connections "
	    "alone\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_accept_makes_a_place_for_each_connection),
	    cmocka_unit_test(test_accept_without_a_limit_has_64_places),
	    cmocka_unit_test(test_trigger_limit_is_none_unless_it_is_written),
	    cmocka_unit_test(test_hash_tells_runs_with_a_connection_from_others),
	    cmocka_unit_test(test_all_connections_have_one_log),
	    cmocka_unit_test(test_accept_and_what_means_nothing_with_it_is_refused),
	    cmocka_unit_test(test_accept_puts_up_with_a_restart_of_the_defaults),
	    cmocka_unit_test(test_accept_is_for_sockets_that_clients_connect_to),
	    cmocka_unit_test(test_as_standard_input_it_may_come_from_any_of_several_addresses),
	    cmocka_unit_test(test_limits_without_accept_are_refused),
	    cmocka_unit_test(test_nobody_can_require_what_runs_for_connections),
	};

	return cmocka_run_group_tests(tests, confdir_setup, confdir_teardown);
}
