/* SPDX-License-Identifier: ISC */
/*
 * late CONDITION ACTION ARGUMENT: a program that becomes ready when the file CONDITION appears.
 *
 *   tcp PORT     listens on 127.0.0.1
 *   unix PATH    listens there, in place of whatever stood there
 *   http PORT    answers from the beginning, 503 as long as CONDITION is not there, then 200
 *   file PATH    writes PATH anew
 *   line TEXT    prints TEXT as a line
 *   fd N         writes a newline to descriptor N
 *   close N      closes descriptor N without a word
 *   spawn N      leaves N children and ends with status 0
 *   fork PATH    does not wait: leaves a daemon and ends with status 0; then the daemon writes its
 *                pid to PATH
 *
 * Then it waits for a signal.  CONDITION "-" has appeared already.  With LATE_LINE in its
 * environment it prints that as a line before anything else.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static bool has_appeared(const char *condition);
static void await(const char *condition);
static int bind_tcp(const char *port);
static int bind_unix(const char *path);
static void serve_http(int fd, const char *condition);
static void write_file(const char *path, const char *text);
static void spawn(int count);
static void become_daemon(void);
static void fail(const char *what);

int main(int argc, char **argv)
{
	const char *condition, *action, *argument, *line = getenv("LATE_LINE");
	char pid[16];
	int fd = -1;

	if (argc != 4)
		return 2;
	condition = argv[1];
	action = argv[2];
	argument = argv[3];
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (line != NULL)
		puts(line);
	if (strcmp(action, "tcp") == 0 || strcmp(action, "http") == 0)
		fd = bind_tcp(argument); /* from now on the port is nobody else's */
	if (strcmp(action, "http") == 0)
		serve_http(fd, condition);
	if (strcmp(action, "fork") == 0)
		become_daemon();
	await(condition);
	if (strcmp(action, "tcp") == 0 && listen(fd, 16) < 0)
		fail("listen");
	else if (strcmp(action, "unix") == 0)
		fd = bind_unix(argument);
	else if (strcmp(action, "file") == 0)
		write_file(argument, "here\n");
	else if (strcmp(action, "line") == 0)
		puts(argument);
	else if (strcmp(action, "fd") == 0 && write(atoi(argument), "\n", 1) != 1)
		fail("write");
	else if (strcmp(action, "close") == 0 && close(atoi(argument)) < 0)
		fail("close");
	else if (strcmp(action, "spawn") == 0)
		spawn(atoi(argument));
	else if (strcmp(action, "fork") == 0) {
		snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
		write_file(argument, pid);
	}
	for (;;) /* who only listens is soon full */
		if (fd < 0 || close(accept4(fd, NULL, NULL, SOCK_CLOEXEC)) < 0)
			pause();
}

static bool has_appeared(const char *condition)
{
	return strcmp(condition, "-") == 0 || access(condition, F_OK) == 0;
}

static void await(const char *condition)
{
	while (!has_appeared(condition))
		usleep(5000);
}

static int bind_tcp(const char *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)atoi(port)),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) < 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		fail("bind");
	return fd;
}

static int bind_unix(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)unlink(path);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, 16) < 0)
		fail("bind");
	return fd;
}

static void serve_http(int fd, const char *condition)
{
	static const char good[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
	static const char bad[] = "HTTP/1.1 503 Not Yet\r\nContent-Length: 0\r\n\r\n";

	if (listen(fd, 16) < 0)
		fail("listen");
	for (;;) {
		const char *reply;
		char request[4096];
		int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

		if (client < 0)
			fail("accept");
		if (read(client, request, sizeof(request)) > 0) {
			reply = has_appeared(condition) ? good : bad;
			(void)!send(client, reply, strlen(reply), MSG_NOSIGNAL);
		}
		close(client);
	}
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0)
		fail(path);
}

static void spawn(int count)
{
	for (int i = 0; i < count; i++) {
		pid_t pid = fork();

		if (pid < 0)
			fail("fork");
		if (pid == 0)
			return;
	}
	_exit(0);
}

/* As daemon(3): by two forks, so that it is not the leader of its session. */
static void become_daemon(void)
{
	pid_t pid = fork();

	if (pid < 0)
		fail("fork");
	if (pid > 0)
		_exit(0);
	if (setsid() < 0 || (pid = fork()) < 0)
		fail("setsid");
	if (pid > 0)
		_exit(0);
}

static void fail(const char *what)
{
	perror(what);
	exit(3);
}
