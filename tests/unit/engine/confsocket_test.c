/* SPDX-License-Identifier: ISC */
/* Tests of supervisord/engine/confsocket.c: stanzas socket "NAME" { … } and who names them. */
#include "tests/unit/engine/confdir.h"

#include <sys/socket.h>

#define WEB "program \"web\" { command = \"/bin/true\" sockets = {\"http\"} }\n"

static void test_socket_with_only_an_address_has_all_defaults(void **state)
{
	struct config *config = confdir_accept("socket \"http\" {\n listen = \"tcp:80\"\n}\n" WEB);
	const struct socket_config *http = config_find_socket(config, "http");

	(void)state;
	assert_int_equal(config->socket_count, 1);
	assert_ptr_equal(http, &config->sockets[0]);
	assert_string_equal(http->name, "http");
	assert_string_equal(http->file, confdir_path("main.conf"));
	assert_int_equal(http->line, 2);
	assert_string_equal(http->key_listen[0], "tcp:80");
	assert_null(http->key_listen[1]);
	assert_int_equal(http->key_backlog, 4096);
	assert_int_equal(http->key_mode, 0660);
	assert_true(http->key_remove_on_stop);
	assert_false(http->key_reuse_port);
	assert_null(http->key_fd_name);
	assert_null(config_find_socket(config, "htt"));
	config_free(config);
}

static void test_sockets_are_found_by_name_whatever_their_order(void **state)
{
	struct config *config =
	    confdir_accept("socket \"b\" { listen = \"tcp:2\" }\nsocket \"a\" { listen = \"tcp:1\" "
			   "}\nsocket \"c\" { listen = {\"tcp:3\", \"unix:@c\"} }\n");

	(void)state;
	assert_string_equal(config_find_socket(config, "a")->key_listen[0], "tcp:1");
	assert_string_equal(config_find_socket(config, "b")->key_listen[0], "tcp:2");
	assert_string_equal(config_find_socket(config, "c")->key_listen[1], "unix:@c");
	config_free(config);
}

static void test_socket_that_is_wrong_is_refused_with_the_reason(void **state)
{
	(void)state;
	confdir_refuse("socket \"a\" { }\n",
	    "@/main.conf:1: listen: is missing in socket 'a': each socket needs an address\n");
	confdir_refuse("socket { listen = \"tcp:1\" }\n",
	    "@/main.conf:1: socket: has no name: socket \"NAME\" { ... }\n");
	confdir_refuse("socket \"a\" { listen = \"tcp:1\" }\nsocket \"a\" { listen = \"tcp:2\" }\n",
	    "@/main.conf:2: socket: 'a' is already defined at @/main.conf:1\n");
	confdir_refuse("socket \"a\" {\n listen = \"tcp:80\"\n}\nsocket \"b\" {\n listen = "
		       "\"tcp:[::]:80\"\n}\n",
	    "@/main.conf:5: listen: 'tcp:[::]:80' is already an address of socket 'a' "
	    "(@/main.conf:2)\n");
	confdir_refuse("socket \"a\" { listen = {\"tcp:127.0.0.1:80\", \"udp:80\"} }\n"
		       "socket \"b\" { listen = \"tcp:80\" reuse_port = true }\n",
	    "@/main.conf:2: listen: 'tcp:80' includes 'tcp:127.0.0.1:80' of socket 'a' "
	    "(@/main.conf:1): one of them, or reuse_port = true in both, is allowed\n");
	confdir_refuse("socket \"a\" { listen = \"tcp:1\" listn = 1 }\n",
	    "@/main.conf:1: listn: unknown key: did you mean 'listen'?\n");
	confdir_refuse("socket \"a\" { listen = \"tcp:1\" mode = 0600 }\n",
	    "@/main.conf:1: mode: is about the file of a unix socket or a fifo, which socket 'a' "
	    "has "
	    "none of\n");
	confdir_refuse("socket \"a\" { listen = \"unix:/a\" owner = \"no-such-user\" }\n",
	    "@/main.conf:1: owner: 'no-such-user' does not exist: a user or group of this system "
	    "is "
	    "allowed\n");
	confdir_refuse("socket \"a\" { listen = \"tcp:1\" fd_name = \"a:b\" }\n",
	    "@/main.conf:1: fd_name: 'a:b' is not printable ASCII without ':' of at most 255 "
	    "bytes\n");
}

static void test_address_that_is_none_is_refused_with_what_is_allowed(void **state)
{
	(void)state;
	confdir_refuse("socket \"a\" { listen = \"80\" }\n",
	    "@/main.conf:1: listen: '80' is not known: tcp:PORT, tcp:HOST:PORT, udp:PORT, "
	    "udp:HOST:PORT, unix:PATH, unix-dgram:PATH, unix-seqpacket:PATH or fifo:PATH (HOST a "
	    "number, IPv6 in brackets) is allowed\n");
}

static void test_program_with_an_unknown_socket_is_told_the_nearest(void **state)
{
	(void)state;
	confdir_refuse("socket \"https\" { listen = \"tcp:1\" }\n" WEB,
	    "@/main.conf:2: sockets: there is no socket 'http': did you mean 'https'?\n");
	confdir_refuse(WEB, "@/main.conf:1: sockets: there is no socket 'http': a stanza socket "
			    "\"http\" { listen = "
			    "... } is needed\n");
}

static void test_stdin_takes_one_socket_and_no_other_input(void **state)
{
	(void)state;
	confdir_refuse(
	    "socket \"a\" { listen = {\"tcp:1\", \"tcp:2\"} }\nprogram \"p\" { command = "
	    "\"/bin/true\" sockets = {\"a\"} socket_as = \"stdin\" }\n",
	    "@/main.conf:2: socket_as: 'stdin' is for one socket with one address, and there are "
	    "2\n");
	confdir_refuse(
	    "socket \"a\" { listen = \"tcp:1\" }\nprogram \"p\" { command = \"/bin/true\" "
	    "sockets = {\"a\"} socket_as = \"stdin\" stdin = \"file:/etc/motd\" }\n",
	    "@/main.conf:2: socket_as: 'stdin' cannot be had with a stdin of its own\n");
	confdir_refuse("program \"p\" { command = \"/bin/true\" socket_as = \"stdin\" }\n",
	    "@/main.conf:1: socket_as: 'stdin' is for one socket with one address, and there are "
	    "0\n");
}

static void test_descriptor_of_ready_is_behind_those_of_the_sockets(void **state)
{
	(void)state;
	confdir_refuse(
	    "socket \"a\" { listen = {\"tcp:1\", \"tcp:2\"} }\nprogram \"p\" { command = "
	    "\"/bin/true\" sockets = {\"a\"} ready = \"fd:4\" }\n",
	    "@/main.conf:2: ready: 'fd:4' is one of the descriptors from 3 to 4, which are its "
	    "sockets: a larger one is allowed\n");
	config_free(confdir_accept(
	    "socket \"a\" { listen = {\"tcp:1\", \"tcp:2\"} }\nprogram \"p\" { command "
	    "= \"/bin/true\" sockets = {\"a\"} ready = \"fd:5\" }\n"));
}

static void test_start_on_demand_takes_a_socket_and_idle_stop_connections(void **state)
{
	(void)state;
	confdir_refuse("program \"p\" { command = \"/bin/true\" start = \"on-demand\" }\n",
	    "@/main.conf:1: start: 'on-demand' is for programs with sockets: somebody has to "
	    "connect "
	    "to one\n");
	confdir_refuse("socket \"a\" { listen = \"tcp:1\" }\nprogram \"p\" { command = "
		       "\"/bin/true\" sockets = {\"a\"} idle_stop = 1min }\n",
	    "@/main.conf:2: idle_stop: is for start = \"on-demand\" only: nothing else would start "
	    "it "
	    "again\n");
	confdir_refuse(
	    "socket \"a\" { listen = \"tcp:1\" }\nprogram \"p\" { command = "
	    "\"/bin/true\" sockets = {\"a\"} start = \"on-demand\" trigger_limit = 0 }\n",
	    "@/main.conf:2: trigger_limit: 0 would start one that never takes the connection "
	    "without end: a number from 1 on is needed (only accept = true takes them itself)\n");
	confdir_refuse("socket \"a\" { listen = {\"tcp:1\", \"udp:1\"} }\nprogram \"p\" { command "
		       "= \"/bin/true\" sockets = {\"a\"} start = \"on-demand\" idle_stop = 1min "
		       "}\n",
	    "@/main.conf:2: idle_stop: cannot be had with 'udp:1': only who connects is known to "
	    "be "
	    "there\n");
}

/* Its end is no end: whoever waits for that would have it started again and again. */
static void test_start_on_demand_is_not_for_what_is_to_complete(void **state)
{
	(void)state;
	confdir_refuse(
	    "socket \"a\" { listen = \"tcp:1\" }\nprogram \"p\" { command = "
	    "\"/bin/true\" sockets = {\"a\"} start = \"on-demand\" type = \"oneshot\" }\n",
	    "@/main.conf:2: start: 'on-demand' is not for a oneshot: what runs once for each "
	    "connection has type = \"service\" and ends\n");
	confdir_refuse("socket \"a\" { listen = \"tcp:1\" }\nprogram \"p\" { command = "
		       "\"/bin/true\" sockets = {\"a\"} start = \"on-demand\" }\nprogram \"q\" { "
		       "command = \"/bin/true\" requires = {\"p:completed\"} }\n",
	    "@/main.conf:3: requires: 'p:completed': program 'p' waits for the next connection "
	    "whenever it ends: start = \"now\" is needed, or ask for ready\n");
}

static void note_key(void *context, const char *key, enum change_class change)
{
	(void)change;
	strcat(context, key);
}

/* Its name stays, and what it means differs. */
static void test_program_whose_socket_has_a_new_address_is_to_be_restarted(void **state)
{
	struct config *old = confdir_accept("socket \"http\" { listen = \"tcp:80\" }\n" WEB);
	struct config *same =
	    confdir_accept("socket \"http\" { listen = \"tcp:[::]:80\" backlog = 7 }\n" WEB);
	struct config *other = confdir_accept("socket \"http\" { listen = \"tcp:81\" }\n" WEB);
	char keys[64] = "";

	(void)state;
	assert_int_equal(old->programs[0]->hash, same->programs[0]->hash);
	assert_int_equal(
	    config_diff_program(old->programs[0], same->programs[0], NULL, NULL), CHANGE_NONE);
	assert_int_not_equal(old->programs[0]->hash, other->programs[0]->hash);
	assert_int_equal(config_diff_program(old->programs[0], other->programs[0], note_key, keys),
	    CHANGE_RESTART);
	assert_string_equal(keys, "sockets");
	config_free(old);
	config_free(same);
	config_free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_socket_with_only_an_address_has_all_defaults),
	    cmocka_unit_test(test_sockets_are_found_by_name_whatever_their_order),
	    cmocka_unit_test(test_socket_that_is_wrong_is_refused_with_the_reason),
	    cmocka_unit_test(test_address_that_is_none_is_refused_with_what_is_allowed),
	    cmocka_unit_test(test_program_with_an_unknown_socket_is_told_the_nearest),
	    cmocka_unit_test(test_stdin_takes_one_socket_and_no_other_input),
	    cmocka_unit_test(test_descriptor_of_ready_is_behind_those_of_the_sockets),
	    cmocka_unit_test(test_start_on_demand_takes_a_socket_and_idle_stop_connections),
	    cmocka_unit_test(test_start_on_demand_is_not_for_what_is_to_complete),
	    cmocka_unit_test(test_program_whose_socket_has_a_new_address_is_to_be_restarted),
	};

	return cmocka_run_group_tests(tests, confdir_setup, confdir_teardown);
}
