/* SPDX-License-Identifier: ISC */
/*
 * checkfile.c: see checkfile.h.
 *
 * Who reads configuration is the engine, and nobody else knows how: its executable is run in check
 * mode and answers with the errors as the daemon would.
 */
#define _GNU_SOURCE /* pipe2 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/libexec.h"
#include "lib/limits.h"
#include "ctl/call.h"
#include "ctl/checkfile.h"
#include "ctl/config_errors.h"

#define CANNOT_RUN 126

static enum exitcode check(struct ctl *ctl, const char *const *words, size_t count);
static void exec_engine(const char *path, const char *const *words, size_t count, int fd)
    __attribute__((noreturn));
static int read_all(int fd, struct out *text);
static enum exitcode tell(struct ctl *ctl, struct out *text);

enum exitcode checkfile_run(struct ctl *ctl)
{
	size_t count = ctl->options.name_count;
	const char **words;
	enum exitcode code;

	if (ctl->options.host != NULL) {
		ctl_complain(ctl,
		    "check: files are those of this machine: ssh %s superctl check %s",
		    ctl->options.host, ctl->options.names[0]);
		return EXITCODE_USAGE;
	}
	words = calloc(2 * count + 1, sizeof(*words));
	if (words == NULL) {
		ctl_complain(ctl, "cannot check: %s", strerror(ENOMEM));
		return EXITCODE_FAILED;
	}
	for (size_t i = 0; i < count; i++) {
		words[2 * i] = "-c";
		words[2 * i + 1] = ctl->options.names[i];
	}
	code = check(ctl, words, 2 * count);
	free(words);
	return code;
}

enum exitcode checkfile_try(struct ctl *ctl, const char *config, const char *path, const char *copy)
{
	const char *words[] = {"-c", config, "--instead", path, copy};
	bool silent = ctl->out.silent;
	enum exitcode code;

	ctl->out.silent = true;
	code = check(ctl, words, sizeof(words) / sizeof(words[0]));
	ctl->out.silent = silent;
	return code;
}

/* By the engine, with these words. */
static enum exitcode check(struct ctl *ctl, const char *const *words, size_t count)
{
	char path[PATH_MAX + sizeof("/engine")];
	struct out text = {.fd = -1};
	enum exitcode code = EXITCODE_FAILED;
	int fds[2], status = 0, error;
	pid_t pid;

	libexec_find(path, PATH_MAX);
	memcpy(path + strlen(path), "/engine", sizeof("/engine"));
	if (pipe2(fds, O_CLOEXEC) < 0) {
		ctl_complain(ctl, "cannot check: %s", strerror(errno));
		return EXITCODE_FAILED;
	}
	out_flush(&ctl->out);
	pid = fork();
	if (pid == 0)
		exec_engine(path, words, count, fds[1]);
	close(fds[1]);
	error = pid < 0 ? -errno : read_all(fds[0], &text);
	close(fds[0]);
	if (pid > 0 && waitpid(pid, &status, 0) < 0)
		error = -errno;
	if (error < 0)
		ctl_complain(ctl, "cannot check: %s: %s", path, strerror(-error));
	else if (!WIFEXITED(status) || WEXITSTATUS(status) > 1)
		ctl_complain(ctl, "cannot check: %s did not do it", path);
	else
		code = tell(ctl, &text);
	out_done(&text);
	return code;
}

static void exec_engine(const char *path, const char *const *words, size_t count, int fd)
{
	const char **argv = calloc(count + 4, sizeof(*argv));

	if (argv == NULL || dup2(fd, STDOUT_FILENO) < 0)
		_exit(CANNOT_RUN);
	argv[0] = path;
	argv[1] = "-t";
	argv[2] = "--json";
	memcpy(argv + 3, words, count * sizeof(*words));
	execv(path, (char *const *)(uintptr_t)argv);
	_exit(CANNOT_RUN);
}

static int read_all(int fd, struct out *text)
{
	char buffer[4096];

	for (;;) {
		ssize_t got = read(fd, buffer, sizeof(buffer));

		if (got == 0)
			return text->error;
		if (got < 0 && errno != EINTR)
			return -errno;
		if (got > 0)
			out_bytes(text, buffer, (size_t)got);
		if (text->length > LIMIT_CONTROL_QUEUE)
			return -EMSGSIZE;
	}
}

/* The same words as for the daemon's answer. */
static enum exitcode tell(struct ctl *ctl, struct out *text)
{
	struct call call = {.ctl = ctl};
	enum exitcode code;
	int r;

	jsonr_init(&call.reply);
	r = jsonr_parse(&call.reply, text->data, text->length, LIMIT_VARLINK_DEPTH);
	if (r < 0) {
		ctl_complain(ctl, "cannot understand what the engine says: %s", strerror(-r));
		code = EXITCODE_FAILED;
	} else {
		code = config_errors_report(&call, JSONR_ROOT);
	}
	jsonr_done(&call.reply);
	return code;
}
