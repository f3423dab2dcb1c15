/* SPDX-License-Identifier: ISC */
/* remote.c: see remote.h. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl/remote.h"

/* ssh(1)'s own failure; sh(1)'s "no such command". */
#define SSH_FAILED        255
#define COMMAND_NOT_FOUND 127

/* Bytes that the shell over there may print before the greeting. */
#define NOISE_MAX 65536

#define WORDS_MAX 32

static void become_ssh(struct ctl *ctl, bool quiet, int fd) __attribute__((noreturn));
static size_t split(char *text, const char **words, size_t most);
static const char *write_command(const char *socket);
static const char *write_edit(const struct options *options);
static void begin_command(struct out *text, const char *socket);
static void quote(struct out *text, const char *word);
static bool is_greeted(int fd);
static enum exitcode explain(struct ctl *ctl, bool quiet, int status);

enum exitcode remote_connect(struct ctl *ctl, bool quiet, int *ret_fd)
{
	const char *host = ctl->options.host;
	int fds[2], status = 0;
	pid_t pid;

	/* Those of connections that have ended since. */
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	if (host[0] == '\0' || host[0] == '-') {
		ctl_complain(ctl, "-H \"%s\": not the name of a host", host);
		return EXITCODE_USAGE;
	}
	out_flush(&ctl->out);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0) {
		ctl_complain(ctl, "%s: %s", host, strerror(errno));
		return EXITCODE_FAILED;
	}
	pid = fork();
	if (pid == 0)
		become_ssh(ctl, quiet, fds[1]);
	close(fds[1]);
	if (pid > 0 && is_greeted(fds[0])) {
		*ret_fd = fds[0];
		return EXITCODE_OK;
	}
	close(fds[0]);
	if (pid < 0) {
		ctl_complain(ctl, "%s: %s", host, strerror(errno));
		return EXITCODE_FAILED;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return explain(ctl, quiet, status);
}

/* ssh -T -- HOST superctl [-s SOCKET] bridge greet */
static void become_ssh(struct ctl *ctl, bool quiet, int fd)
{
	const char *named = getenv("SUPERCTL_SSH");
	char *ssh = strdup(named != NULL && named[0] != '\0' ? named : "ssh");
	const char *argv[WORDS_MAX + 8] = {NULL};
	size_t count;
	sigset_t none;
	int null;

	/* Its own failure is to be told, and Ctrl-C ends it. */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (ssh == NULL || dup2(fd, STDIN_FILENO) < 0 || dup2(fd, STDOUT_FILENO) < 0)
		_exit(SSH_FAILED);
	if (quiet) {
		null = open("/dev/null", O_WRONLY | O_CLOEXEC);
		if (null >= 0)
			dup2(null, STDERR_FILENO);
	}
	count = split(ssh, argv, WORDS_MAX);
	argv[count++] = "-T";
	if (ctl->several_hosts) {
		argv[count++] = "-o";
		argv[count++] = "BatchMode=yes";
	}
	argv[count++] = "--";
	argv[count++] = ctl->options.host;
	argv[count] = write_command(ctl->options.socket);
	if (count > 0 && argv[count] != NULL)
		execvp(argv[0], (char *const *)(uintptr_t)argv);
	ctl_complain(ctl, "%s: %s", argv[0], strerror(errno));
	_exit(SSH_FAILED);
}

/* ssh -t -- HOST superctl [-s SOCKET] edit [--yes] NAME */
enum exitcode remote_edit(struct ctl *ctl)
{
	const char *named = getenv("SUPERCTL_SSH");
	char *ssh = strdup(named != NULL && named[0] != '\0' ? named : "ssh");
	const char *argv[WORDS_MAX + 8] = {NULL};
	size_t count = ssh != NULL ? split(ssh, argv, WORDS_MAX) : 0;

	if (ctl->options.host[0] == '\0' || ctl->options.host[0] == '-') {
		ctl_complain(ctl, "-H \"%s\": not the name of a host", ctl->options.host);
		free(ssh);
		return EXITCODE_USAGE;
	}
	if (isatty(STDIN_FILENO) == 1)
		argv[count++] = "-t";
	argv[count++] = "--";
	argv[count++] = ctl->options.host;
	argv[count] = write_edit(&ctl->options);
	out_flush(&ctl->out);
	if (ssh != NULL && argv[count] != NULL)
		execvp(argv[0], (char *const *)(uintptr_t)argv);
	ctl_complain(ctl, "%s: %s", ssh != NULL ? argv[0] : "ssh", strerror(errno));
	free(ssh);
	return EXITCODE_MISSING;
}

/* Words between blanks; what a word with blanks needs is a script. */
static size_t split(char *text, const char **words, size_t most)
{
	char *rest = NULL;
	size_t count = 0;

	for (char *word = strtok_r(text, " \t", &rest); word != NULL && count < most;
	     word = strtok_r(NULL, " \t", &rest))
		words[count++] = word;
	return count;
}

/* For the shell over there. */
static const char *write_command(const char *socket)
{
	struct out text = {.fd = -1};

	begin_command(&text, socket);
	out_string(&text, "bridge " REMOTE_GREET);
	out_bytes(&text, "", 1);
	return text.error == 0 ? text.data : NULL;
}

static const char *write_edit(const struct options *options)
{
	struct out text = {.fd = -1};

	begin_command(&text, options->socket);
	out_string(&text, options->set & OPTION_YES ? "edit --yes -- " : "edit -- ");
	quote(&text, options->names[0]);
	out_bytes(&text, "", 1);
	return text.error == 0 ? text.data : NULL;
}

static void begin_command(struct out *text, const char *socket)
{
	out_string(text, "superctl ");
	if (socket == NULL)
		return;
	out_string(text, "-s ");
	quote(text, socket);
	out_string(text, " ");
}

static void quote(struct out *text, const char *word)
{
	out_string(text, "'");
	for (; *word != '\0'; word++) {
		if (*word == '\'')
			out_string(text, "'\\''");
		else
			out_bytes(text, word, 1);
	}
	out_string(text, "'");
}

static bool is_greeted(int fd)
{
	for (size_t noise = 0; noise < NOISE_MAX; noise++) {
		char byte;
		ssize_t got;

		do
			got = recv(fd, &byte, 1, 0);
		while (got < 0 && errno == EINTR);
		if (got <= 0)
			return false;
		if (byte == REMOTE_GREETING)
			return true;
	}
	return false;
}

/* What superctl over there says about its failure has come through by standard error. */
static enum exitcode explain(struct ctl *ctl, bool quiet, int status)
{
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : SSH_FAILED;

	switch (code) {
	case EXITCODE_USAGE:
	case EXITCODE_MISSING:
	case EXITCODE_DENIED:
		return (enum exitcode)code;
	case COMMAND_NOT_FOUND:
		if (!quiet)
			ctl_complain(
			    ctl, "%s: there is no superctl in its PATH", ctl->options.host);
		return EXITCODE_MISSING;
	case SSH_FAILED:
		if (!quiet)
			ctl_complain(ctl, "%s: ssh did not get there", ctl->options.host);
		return EXITCODE_MISSING;
	default:
		if (!quiet)
			ctl_complain(
			    ctl, "%s: no superctl answers (status %d)", ctl->options.host, code);
		return EXITCODE_MISSING;
	}
}
