/* SPDX-License-Identifier: ISC */
/*
 * notifier WORD...: a program that talks sd_notify(3), without libsystemd.  Each word is done, in
 * order; "|" in a TEXT is a newline, "@" the number of the process.
 *
 *   send:TEXT       one message
 *   child:TEXT      the same from a child, which has ended and was waited for before we go on
 *   alien:UID:TEXT  the same from a child with that user, which lives on until we end
 *   stray:TEXT      the same from a child, which lives on until we end
 *   listen:PATH     make a listening socket there
 *   made:FILE       append a line with its inode
 *   give:TEXT       one message with that socket
 *   barrier         BARRIER=1 with a pipe; wait until its other end is closed
 *   ping:MS:COUNT   WATCHDOG=1 every MS milliseconds, COUNT times
 *   main            go on in a child whose parent has ended
 *   spawn           go on in a child whose parent stays
 *   say:FILE:TEXT   append a line to FILE
 *   env:FILE:NAME   append NAME=VALUE, or "NAME is not set"
 *   got:FILE        append a line with the descriptors of LISTEN_FDS: "NAME=INODE ..."
 *   await:FILE      wait until there is such a file
 *   wait            until TERM, which is said by an exit with status 0
 *   hang            for ever, without minding TERM
 *   exit:N          end
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TEXT_MAX 8192

static int listener = -1;

static void do_word(char *word);
static char *cut(char *colon);
static void send_text(const char *text, int fd);
static size_t write_message(const char *text, char bytes[TEXT_MAX]);
static void send_from_child(const char *text, long uid, int stays);
static void make_listener(const char *path);
static void pass_barrier(void);
static void ping(int ms, int count);
static void become_child(int parent_stays);
static void append(const char *path, const char *text);
static void append_variable(const char *path, const char *name);
static void append_inode(const char *path);
static void append_descriptors(const char *path);
static void await_file(const char *path);
static void await_term(void);
static void rest(int ms);
static void fail(const char *what) __attribute__((noreturn));

int main(int argc, char **argv)
{
	sigset_t term;

	/* Whoever has read what we say may send TERM. */
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	for (int i = 1; i < argc; i++)
		do_word(argv[i]);
	return 0;
}

static void do_word(char *word)
{
	char *first = strchr(word, ':'), *second;

	if (first != NULL)
		*first++ = '\0';
	second = first != NULL ? strchr(first, ':') : NULL;
	if (strcmp(word, "send") == 0)
		send_text(first, -1);
	else if (strcmp(word, "give") == 0)
		send_text(first, listener);
	else if (strcmp(word, "child") == 0)
		send_from_child(first, -1, 0);
	else if (strcmp(word, "stray") == 0)
		send_from_child(first, -1, 1);
	else if (strcmp(word, "alien") == 0)
		send_from_child(cut(second), atol(first), 1);
	else if (strcmp(word, "listen") == 0)
		make_listener(first);
	else if (strcmp(word, "made") == 0)
		append_inode(first);
	else if (strcmp(word, "barrier") == 0)
		pass_barrier();
	else if (strcmp(word, "ping") == 0)
		ping(atoi(first), atoi(cut(second)));
	else if (strcmp(word, "main") == 0)
		become_child(0);
	else if (strcmp(word, "spawn") == 0)
		become_child(1);
	else if (strcmp(word, "say") == 0)
		append(first, cut(second));
	else if (strcmp(word, "env") == 0)
		append_variable(first, cut(second));
	else if (strcmp(word, "got") == 0)
		append_descriptors(first);
	else if (strcmp(word, "await") == 0)
		await_file(first);
	else if (strcmp(word, "wait") == 0)
		await_term();
	else if (strcmp(word, "hang") == 0)
		for (;;)
			pause();
	else if (strcmp(word, "exit") == 0)
		exit(atoi(first));
	else
		fail(word);
}

/* End the word before here, and return the one behind. */
static char *cut(char *colon)
{
	if (colon == NULL)
		fail("a word is missing");
	*colon = '\0';
	return colon + 1;
}

static void send_text(const char *text, int fd)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *path = getenv("NOTIFY_SOCKET");
	char bytes[TEXT_MAX], control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec part = {.iov_base = bytes, .iov_len = write_message(text, bytes)};
	struct msghdr header = {.msg_name = &address,
	    .msg_namelen = sizeof(address),
	    .msg_iov = &part,
	    .msg_iovlen = 1};
	int client = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (client < 0 || path == NULL || strlen(path) >= sizeof(address.sun_path))
		fail("NOTIFY_SOCKET");
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (fd >= 0) {
		struct cmsghdr *cmsg;

		header.msg_control = control;
		header.msg_controllen = sizeof(control);
		cmsg = CMSG_FIRSTHDR(&header);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	}
	if (sendmsg(client, &header, MSG_NOSIGNAL) < 0)
		fail("sendmsg");
	close(client);
}

/* Returns its length. */
static size_t write_message(const char *text, char bytes[TEXT_MAX])
{
	size_t length = 0;

	for (; *text != '\0'; text++) {
		if (length + 16 > TEXT_MAX)
			fail("a TEXT is too long");
		if (*text == '@')
			length += (size_t)snprintf(bytes + length, 16, "%d", (int)getpid());
		else
			bytes[length++] = *text == '|' ? '\n' : *text;
	}
	return length;
}

/* Returns when the message is sent. */
static void send_from_child(const char *text, long uid, int stays)
{
	int sent[2];
	char byte;
	pid_t child;

	if (pipe2(sent, O_CLOEXEC) < 0)
		fail("pipe");
	child = fork();
	if (child == 0) {
		close(sent[0]);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (uid >= 0 && setuid((uid_t)uid) < 0)
			fail("setuid");
		send_text(text, -1);
		close(sent[1]);
		if (!stays)
			_exit(0);
		for (;;)
			pause();
	}
	close(sent[1]);
	(void)!read(sent[0], &byte, 1);
	close(sent[0]);
	if (!stays)
		waitpid(child, NULL, 0);
}

static void make_listener(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(address.sun_path))
		fail(path);
	memcpy(address.sun_path, path, strlen(path) + 1);
	unlink(path);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 ||
	    bind(listener, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(listener, 8) < 0)
		fail(path);
}

static void pass_barrier(void)
{
	int ends[2];
	struct pollfd watched;

	if (pipe2(ends, O_CLOEXEC) < 0)
		fail("pipe");
	send_text("BARRIER=1", ends[1]);
	close(ends[1]);
	watched = (struct pollfd){.fd = ends[0]};
	while (poll(&watched, 1, -1) < 0)
		;
	if (!(watched.revents & POLLHUP))
		fail("barrier");
	close(ends[0]);
}

static void ping(int ms, int count)
{
	while (count-- > 0) {
		send_text("WATCHDOG=1", -1);
		rest(ms);
	}
}

static void become_child(int parent_stays)
{
	pid_t parent = getpid();
	pid_t child = fork();

	if (child < 0)
		fail("fork");
	if (child > 0 && !parent_stays)
		_exit(0);
	if (child > 0) {
		await_term();
		_exit(0);
	}
	while (!parent_stays && getppid() == parent)
		rest(1);
}

static void append(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	char line[TEXT_MAX];
	int length = snprintf(line, sizeof(line), "%s\n", text);

	if (fd < 0 || write(fd, line, (size_t)length) != length)
		fail(path);
	close(fd);
}

static void append_variable(const char *path, const char *name)
{
	const char *value = getenv(name);
	char line[TEXT_MAX];

	/* A number that is our pid is said so, for nobody knows it before. */
	if (value == NULL)
		(void)snprintf(line, sizeof(line), "%s is not set", name);
	else if (atol(value) == getpid())
		(void)snprintf(line, sizeof(line), "%s=own pid", name);
	else
		(void)snprintf(line, sizeof(line), "%s=%s", name, value);
	append(path, line);
}

static void append_inode(const char *path)
{
	char line[32];
	struct stat st;

	if (fstat(listener, &st) < 0)
		fail("made");
	(void)snprintf(line, sizeof(line), "%lu", (unsigned long)st.st_ino);
	append(path, line);
}

static void append_descriptors(const char *path)
{
	const char *count = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID");
	const char *all = getenv("LISTEN_FDNAMES");
	char line[TEXT_MAX] = "", names[TEXT_MAX] = "", *rest_of_names = names;

	if (count == NULL || pid == NULL || all == NULL || atol(pid) != getpid()) {
		append(path, "nothing");
		return;
	}
	(void)snprintf(names, sizeof(names), "%s", all);
	for (int i = 0; i < atoi(count); i++) {
		const char *name = strsep(&rest_of_names, ":");
		size_t used = strlen(line);
		struct stat st;

		if (fstat(3 + i, &st) < 0 || name == NULL)
			fail("LISTEN_FDS");
		(void)snprintf(line + used, sizeof(line) - used, "%s%s=%lu", i > 0 ? " " : "", name,
		    (unsigned long)st.st_ino);
	}
	append(path, line);
}

static void await_file(const char *path)
{
	while (access(path, F_OK) < 0)
		rest(10);
}

static void await_term(void)
{
	sigset_t term;
	int number;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	while (sigwait(&term, &number) != 0)
		;
	exit(0);
}

static void rest(int ms)
{
	struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

	nanosleep(&time, NULL);
}

static void fail(const char *what)
{
	(void)fprintf(stderr, "notifier: %s: %s\n", what, strerror(errno));
	_exit(99);
}
