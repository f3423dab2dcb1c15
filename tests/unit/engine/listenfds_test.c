/* SPDX-License-Identifier: ISC */
/* Tests of supervisord/engine/listenfds.h: sockets, connection and store are made up here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "supervisord/engine/engine.h"
#include "supervisord/engine/fdstore.h"
#include "supervisord/engine/listenfds.h"
#include "supervisord/engine/notify.h"

/* What the program has. */
static struct {
	const char *names[LIMIT_PROGRAM_SOCKETS];
	size_t count;
	int error;
	int connection; /* 0: none */
} has;

static struct engine engine;
static struct life_config life;
static char name[] = "p";
static const struct program_config config = {.name = name, .life = &life};
static struct program program = {.engine = &engine, .config = &config};
static char text[1024];

int sockets_of_program(struct engine *of, const struct program_config *stanza, int *fds,
    const char **names, size_t *ret_count)
{
	assert_ptr_equal(of, &engine);
	assert_ptr_equal(stanza, &config);
	if (has.error < 0)
		return has.error;
	for (size_t i = 0; i < has.count; i++) {
		fds[i] = 100 + (int)i;
		names[i] = has.names[i];
	}
	*ret_count = has.count;
	return 0;
}

int accept_get(const struct program *of, int *ret_fd)
{
	assert_ptr_equal(of, &program);
	if (has.connection == 0)
		return -ECONNABORTED;
	*ret_fd = has.connection;
	return 0;
}

const struct fdstore *notify_store(const struct program *of)
{
	assert_ptr_equal(of, &program);
	return NULL;
}

const char *program_name(const struct program *of)
{
	(void)of;
	return name;
}

static int begin(void **state)
{
	(void)state;
	memset(&has, 0, sizeof(has));
	memset(&life, 0, sizeof(life));
	return 0;
}

/* "DESCRIPTOR>NUMBER" of each, then the variables. */
static int add(enum launch_step *ret_step)
{
	struct launch_fd extra[LAUNCH_EXTRA];
	char *environment[LISTENFDS_ENVIRONMENT + 1] = {0};
	size_t extra_count = 0, count = 0;
	int error = listenfds_add(&program, environment, &count, extra, &extra_count, ret_step);

	text[0] = '\0';
	for (size_t i = 0; i < extra_count; i++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%d>%d ",
		    extra[i].fd, extra[i].number);
	for (size_t i = 0; i < count; i++) {
		(void)snprintf(
		    text + strlen(text), sizeof(text) - strlen(text), "%s ", environment[i]);
		free(environment[i]);
	}
	return error;
}

static void test_program_without_sockets_is_told_nothing(void **state)
{
	enum launch_step step;

	(void)state;
	assert_int_equal(add(&step), 0);
	assert_string_equal(text, "");
}

static void test_sockets_stand_from_3_on_in_their_order(void **state)
{
	enum launch_step step;

	(void)state;
	has.names[0] = "https";
	has.names[1] = "http";
	has.count = 2;
	assert_int_equal(add(&step), 0);
	assert_string_equal(
	    text, "100>3 101>4 LISTEN_FDS=2 LISTEN_PID= LISTEN_FDNAMES=https:http ");
}

static void test_socket_that_cannot_be_had_fails_the_launch_there(void **state)
{
	enum launch_step step;

	(void)state;
	has.error = -EADDRINUSE;
	assert_int_equal(add(&step), -EADDRINUSE);
	assert_int_equal(step, LAUNCH_SOCKETS);
	assert_string_equal(text, "");
}

static void test_socket_that_is_standard_input_is_no_descriptor_beside(void **state)
{
	enum launch_step step;
	int fd = -1;

	(void)state;
	life.key_socket_as = SOCKET_AS_STDIN;
	has.names[0] = "http";
	has.count = 1;
	assert_int_equal(add(&step), 0);
	assert_string_equal(text, "");
	assert_int_equal(listenfds_get_stdin(&program, &fd), 0);
	assert_int_equal(fd, 100);
	has.count = 2;
	assert_int_equal(listenfds_get_stdin(&program, &fd), -EINVAL);
	has.error = -EACCES;
	assert_int_equal(listenfds_get_stdin(&program, &fd), -EACCES);
}

static void test_connection_is_given_in_place_of_the_socket(void **state)
{
	enum launch_step step;
	int fd = -1;

	(void)state;
	life.key_accept = true;
	has.names[0] = "http";
	has.count = 1;
	has.connection = 200;
	assert_int_equal(add(&step), 0);
	assert_string_equal(text, "200>3 LISTEN_FDS=1 LISTEN_PID= LISTEN_FDNAMES=connection ");
	assert_int_equal(listenfds_get_stdin(&program, &fd), 0);
	assert_int_equal(fd, 200);
}

/* The engine that had it is gone. */
static void test_connection_that_is_lost_fails_the_launch(void **state)
{
	enum launch_step step;
	int fd = -1;

	(void)state;
	life.key_accept = true;
	assert_int_equal(add(&step), -ECONNABORTED);
	assert_int_equal(step, LAUNCH_SOCKETS);
	assert_int_equal(listenfds_get_stdin(&program, &fd), -ECONNABORTED);
	assert_int_equal(fd, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_program_without_sockets_is_told_nothing, begin),
	    cmocka_unit_test_setup(test_sockets_stand_from_3_on_in_their_order, begin),
	    cmocka_unit_test_setup(test_socket_that_cannot_be_had_fails_the_launch_there, begin),
	    cmocka_unit_test_setup(
		test_socket_that_is_standard_input_is_no_descriptor_beside, begin),
	    cmocka_unit_test_setup(test_connection_is_given_in_place_of_the_socket, begin),
	    cmocka_unit_test_setup(test_connection_that_is_lost_fails_the_launch, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
