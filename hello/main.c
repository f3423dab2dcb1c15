/* SPDX-License-Identifier: ISC */
/*
 * hello: the bundled HTTP/1.1 worker, the program that supervisord runs by default.
 *
 * main.c reads the options and picks what runs, in the order that matters: bind (which may need
 * root), become the user, only then look at a byte from the network.
 *
 * Exit status: 0 stopped by a signal; 1 could not listen or not drop rights; 2 bad arguments.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hello/listener.h"
#include "hello/options.h"
#include "hello/server.h"

#define DEFAULT_ADDRESS "127.0.0.1:8124"

static int run(const struct options *options);
static int open_listeners(const struct options *options, struct listeners *listeners);
static int open_one(const struct address *address, struct listeners *listeners);
static int complain_inherited(int error, int fd);
static void announce(const struct listeners *listeners);

int main(int argc, char **argv)
{
	struct options options;
	char error[512];

	if (options_parse(argc, argv, &options, error, sizeof(error)) < 0) {
		(void)fprintf(stderr, "hello: %s\n", error);
		return 2;
	}
	switch (options.act) {
	case OPTIONS_HELP:
		options_print_help(stdout);
		return 0;
	case OPTIONS_VERSION:
		(void)puts("hello (supervisord) " SUPERVISORD_VERSION);
		return 0;
	case OPTIONS_RUN:
		return run(&options);
	}
	return 2;
}

static int run(const struct options *options)
{
	struct listeners listeners = {0};
	struct ipc ipc = {.fd = -1};
	int code = 1, r;

	r = server_block_signals();
	if (r < 0) {
		(void)fprintf(stderr, "hello: cannot block signals: %s\n", strerror(-r));
		return code;
	}
	if (open_listeners(options, &listeners) < 0)
		goto out;
	r = options->has_identity ? identity_apply(&options->identity) : 0;
	if (r < 0) {
		(void)fprintf(stderr, "hello: cannot become user %u, group %u: %s\n",
		    options->identity.uid, options->identity.gid, strerror(-r));
		goto out;
	}
	r = ipc_open(&ipc);
	if (r < 0) {
		(void)fprintf(stderr, "hello: NODE_CHANNEL_FD names no socket\n");
		goto out;
	}
	announce(&listeners);
	r = server_run(&listeners, &ipc, &options->pool, options->grace_ns, &code);
	if (r < 0) {
		(void)fprintf(stderr, "hello: cannot start serving: %s\n", strerror(-r));
		code = 1;
	}
out:
	ipc_close(&ipc);
	listeners_close(&listeners);
	return code;
}

static int open_listeners(const struct options *options, struct listeners *listeners)
{
	struct address address;
	unsigned inherited;
	int fd = -1, r;

	r = listeners_inherit(listeners, &inherited, &fd);
	if (r)
		return complain_inherited(r, fd);
	for (unsigned i = 0; !r && i < options->address_count; i++)
		r = open_one(&options->addresses[i], listeners);
	if (!r && listeners->count == 0) {
		r = address_parse(DEFAULT_ADDRESS, &address);
		if (!r)
			r = open_one(&address, listeners);
	}
	return r;
}

static int open_one(const struct address *address, struct listeners *listeners)
{
	char text[ADDRESS_TEXT];
	int r = listeners_open(listeners, address);

	if (r)
		(void)fprintf(stderr, "hello: cannot listen on %s: %s\n",
		    address_format(address, text, sizeof(text)), strerror(-r));
	return r;
}

static int complain_inherited(int error, int fd)
{
	if (error == -EBADMSG)
		(void)fprintf(stderr, "hello: LISTEN_FDS is not a number\n");
	else if (error == -E2BIG)
		(void)fprintf(stderr, "hello: LISTEN_FDS: at most %d sockets can be inherited\n",
		    LIMIT_HELLO_LISTENERS);
	else
		(void)fprintf(stderr,
		    "hello: inherited descriptor %d is not a listening stream socket: %s\n", fd,
		    strerror(-error));
	return error;
}

static void announce(const struct listeners *listeners)
{
	char text[ADDRESS_TEXT];

	for (unsigned i = 0; i < listeners->count; i++)
		(void)printf("hello: listening on %s\n",
		    address_format(&listeners->items[i].address, text, sizeof(text)));
	(void)fflush(stdout);
}
