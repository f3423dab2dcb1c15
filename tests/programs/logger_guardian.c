/* SPDX-License-Identifier: ISC */
/*
 * logger_guardian: a guardian and an engine as the logger sees them, driven by a script on stdin.
 * It starts the real logger, holds pipes, passes them on to each new logger, kills it, and asks for
 * logs.
 *
 *   logger_guardian LOGGER <script
 *
 * One command a line; it ends with 1 and says where when a command fails or a wait takes too long:
 *
 *   spec ROW STREAM MAX KEEP NAME PATH [OPTION]…    (gzip zstd hourly total=BYTES age=SECONDS)
 *   set ROW STREAM KEY VALUE              (of a spec: format, full, line_max, memory, tag, targets)
 *   unspec ROW STREAM    specs            (send the table)
 *   number ROW RUN                        (of the run that writes, in the ledger)
 *   input SLOT ROW COMMAND…               (a shell command that reads a row's standard input)
 *   start    kill    storm COUNT          (kill and start at random moments)
 *   pipe SLOT ROW STREAM    own SLOT      (own: also the stderr of loggers started later)
 *   run SLOT COMMAND…   wait SLOT         (a shell command that writes to the pipe)
 *   say SLOT TEXT…      part SLOT TEXT…   (write it ourselves; part: no newline)
 *   drained SLOT        close SLOT        release SLOT
 *   read ROW STREAM LINES FOLLOW MORE FILE    (each reply a line of FILE)
 *   hang ROW STREAM LINES                 (a follower that never reads)
 *   rotate ROW STREAMS FILE   reopen …   clear …    (STREAMS: bits; the answer goes to FILE)
 *   sh COMMAND…         until COMMAND…    (until it succeeds)
 *   finish              abandon           (MSG_FINISH; the guardian dies; the logger must exit 0)
 *   logger PATH         nofile COUNT      (of the loggers that are started from now on)
 *   fault NAME VALUE                      (tests/fault/plan.h: of all loggers)
 *
 * Shell commands find the logger's pid in $LOGGER_PID.  With FAULT_SHIM and FAULT_PLAN in the
 * environment, the logger is started with that library.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A test program is linked from one file. */
#include "lib/channel.c"
#include "lib/ledger.c"
#include "lib/logspec.c"
#include "tests/fault/plan.h"

#define SLOTS      4096
#define SPECS      4096
#define DEADLINE_S 60

struct held {
	uint64_t key;
	int fd;       /* what the logger gets */
	int write_fd; /* the other end of a pipe */
	pid_t writer;
	bool released; /* kept until the logger has drained it */
};

static char *logger_path;
static rlim_t logger_nofile;
static struct held slots[SLOTS];
static struct logspec specs[SPECS];
static size_t spec_count;
static pid_t logger_pid;
static int guardian_fd = -1;
static int peer_fds[2];
static int ledger_fd;
static struct ledger *ledger;
static int own_write = -1;

static int run_line(char *line);
static int start_logger(void);
static int set_logger(const char *path);

static void pause_ms(long ms)
{
	struct timespec span = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	(void)nanosleep(&span, NULL);
}

int main(int argc, char *argv[])
{
	char *line = NULL;
	size_t size = 0;

	if (argc != 2 || set_logger(argv[1]) < 0)
		return 2;
	(void)signal(SIGPIPE, SIG_IGN);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, peer_fds) < 0 ||
	    ledger_create(&ledger_fd, &ledger) < 0)
		return 1;
	for (size_t i = 0; i < SLOTS; i++)
		slots[i] = (struct held){.fd = -1, .write_fd = -1};
	srand((unsigned)getpid());
	for (int number = 1; getline(&line, &size, stdin) > 0; number++) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '\0' || line[0] == '#')
			continue;
		if (run_line(line) < 0) {
			(void)fprintf(stderr, "line %d: failed: %s\n", number, line);
			if (logger_pid > 0)
				(void)kill(logger_pid, SIGKILL);
			return 1;
		}
	}
	if (logger_pid > 0)
		(void)kill(logger_pid, SIGKILL);
	free(line);
	return 0;
}

/* What the logger says, and whether it wants to be started again. */
static int poll_logger(void)
{
	struct msg msg;
	int status;

	while (guardian_fd >= 0 && channel_receive(guardian_fd, &msg, MSG_DONTWAIT) > 0) {
		struct held *held = &slots[msg.head.slot % SLOTS];

		if (msg.head.type == MSG_DRAINED && held->released) {
			close(held->fd);
			*held = (struct held){.fd = -1, .write_fd = -1};
		}
		channel_drop_fds(&msg);
	}
	if (logger_pid <= 0 || waitpid(logger_pid, &status, WNOHANG) != logger_pid)
		return 0;
	logger_pid = 0;
	close(guardian_fd);
	guardian_fd = -1;
	return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_AGAIN ? start_logger() : -ECHILD;
}

/* To a logger that is just ending: the next one is told at its start. */
static int forgive_again(int error)
{
	if (error != -EPIPE && error != -ECONNRESET)
		return error;
	for (int i = 0; i < DEADLINE_S * 200 && guardian_fd >= 0; i++) {
		pid_t before = logger_pid;

		error = poll_logger();
		if (error < 0 || logger_pid != before)
			return error;
		pause_ms(5);
	}
	return -ETIMEDOUT;
}

static int send_type(enum msg_type type, uint32_t slot)
{
	struct msg_head head = {.type = type, .slot = slot, .key = slots[slot].key};

	return channel_send_head(guardian_fd, &head, type == MSG_HELD ? slots[slot].fd : -1, 0);
}

static int send_held(uint32_t slot)
{
	return logger_pid > 0 ? forgive_again(send_type(MSG_HELD, slot)) : 0;
}

static int hold(uint32_t slot, uint64_t key, int fd)
{
	if (slots[slot].fd >= 0)
		close(slots[slot].fd);
	slots[slot].fd = fd;
	slots[slot].key = key;
	return send_held(slot);
}

/* Only the soft limit: a test may raise it again. */
static void limit_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		_exit(127);
	limit.rlim_cur = logger_nofile;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		_exit(127);
}

static void become_logger(int guardian)
{
	/* High first, so that neither overwrites the other. */
	int guardian_high = fcntl(guardian, F_DUPFD_CLOEXEC, 100);
	int peer_high = fcntl(peer_fds[1], F_DUPFD_CLOEXEC, 100);
	int ledger_high = fcntl(ledger_fd, F_DUPFD_CLOEXEC, 100);

	if (own_write >= 0)
		(void)dup2(own_write, STDERR_FILENO);
	(void)dup2(guardian_high, FD_GUARDIAN);
	(void)dup2(peer_high, FD_PEER);
	(void)dup2(ledger_high, FD_LEDGER);
	if (getenv("FAULT_SHIM") != NULL)
		(void)setenv("LD_PRELOAD", getenv("FAULT_SHIM"), 1);
	if (logger_nofile > 0)
		limit_files();
	(void)execl(logger_path, "logger", (char *)NULL);
	_exit(127);
}

static int start_logger(void)
{
	char text[32];
	int pair[2], error = channel_pair(pair);

	if (error < 0)
		return error;
	atomic_fetch_add(&ledger->header.logger_starts, 1);
	logger_pid = fork();
	if (logger_pid < 0)
		return -errno;
	if (logger_pid == 0)
		become_logger(pair[1]);
	close(pair[1]);
	guardian_fd = pair[0];
	(void)snprintf(text, sizeof(text), "%d", (int)logger_pid);
	(void)setenv("LOGGER_PID", text, 1);
	for (uint32_t slot = 0; slot < SLOTS && error == 0; slot++) {
		if (slots[slot].fd >= 0)
			error = send_type(MSG_HELD, slot);
		if (slots[slot].released && error == 0)
			error = send_type(MSG_RELEASED, slot);
	}
	return error;
}

static int kill_logger(void)
{
	if (logger_pid <= 0)
		return -ESRCH;
	(void)kill(logger_pid, SIGKILL);
	(void)waitpid(logger_pid, NULL, 0);
	close(guardian_fd);
	guardian_fd = -1;
	logger_pid = 0;
	return 0;
}

/* Wait for a process; its exit code, or -ETIMEDOUT. */
static int await_exit(pid_t pid)
{
	int status;

	for (int i = 0; i < DEADLINE_S * 200; i++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		if (pid != logger_pid && poll_logger() < 0)
			return -ECHILD;
		pause_ms(5);
	}
	return -ETIMEDOUT;
}

static int await_logger_end(void)
{
	int code = await_exit(logger_pid);

	if (code == EXIT_AGAIN) {
		close(guardian_fd);
		if (start_logger() < 0 || send_type(MSG_FINISH, 0) < 0)
			return -1;
		code = await_exit(logger_pid);
	}
	if (code >= 0)
		logger_pid = 0;
	return code == 0 ? 0 : -1;
}

static int run_storm(int count)
{
	for (int i = 0; i < count; i++) {
		struct timespec span = {.tv_nsec = rand() % 15000000};
		int error;

		(void)nanosleep(&span, NULL);
		error = kill_logger();
		if (error == 0)
			error = start_logger();
		if (error < 0)
			return error;
	}
	return 0;
}

/* A released slot is free when what was in it is written. */
static int await_free(uint32_t slot)
{
	for (int i = 0; i < DEADLINE_S * 200; i++) {
		int error = poll_logger();

		if (error < 0 || !slots[slot].released)
			return error;
		pause_ms(5);
	}
	return -ETIMEDOUT;
}

static int make_pipe(uint32_t slot, uint64_t key)
{
	int ends[2], error = await_free(slot);

	if (error < 0)
		return error;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	slots[slot].write_fd = ends[1];
	return hold(slot, key, ends[0]);
}

static void forget_spec(struct logspec *spec)
{
	free((void *)(uintptr_t)spec->name);
	free((void *)(uintptr_t)spec->path);
	free((void *)(uintptr_t)spec->targets);
	free((void *)(uintptr_t)spec->tag);
}

/* "-" in a path is none; "," ends a target. */
static int set_spec(char *text)
{
	unsigned row, stream;
	char key[32], value[4096];

	if (sscanf(text, "%u %u %31s %4095s", &row, &stream, key, value) != 4)
		return -EINVAL;
	for (size_t i = 0; i < spec_count; i++) {
		struct logspec *spec = &specs[i];

		if (spec->row != row || spec->stream != stream)
			continue;
		if (strcmp(key, "format") == 0)
			spec->format = strcmp(value, "stamp") == 0  ? LOGSPEC_STAMP
				       : strcmp(value, "json") == 0 ? LOGSPEC_JSON
								    : LOGSPEC_RAW;
		else if (strcmp(key, "full") == 0)
			spec->full = strcmp(value, "drop") == 0 ? LOGSPEC_DROP : LOGSPEC_BLOCK;
		else if (strcmp(key, "line_max") == 0)
			spec->line_max = (uint32_t)atoi(value);
		else if (strcmp(key, "memory") == 0)
			spec->memory = (uint64_t)atoll(value);
		else if (strcmp(key, "tag") == 0)
			spec->tag = strdup(value);
		else if (strcmp(key, "targets") == 0) {
			for (char *at = value; (at = strchr(at, ',')) != NULL;)
				*at = '\n';
			spec->targets = strdup(value);
		} else
			return -EINVAL;
		return 0;
	}
	return -ENOENT;
}

static int add_option(struct logspec *spec, const char *word)
{
	if (strcmp(word, "gzip") == 0)
		spec->compress = LOGSPEC_GZIP;
	else if (strcmp(word, "zstd") == 0)
		spec->compress = LOGSPEC_ZSTD;
	else if (strcmp(word, "hourly") == 0)
		spec->rotate = LOGSPEC_HOURLY;
	else if (sscanf(word, "total=%lu", &spec->total_bytes) != 1 &&
		 sscanf(word, "age=%lu", &spec->max_age_s) != 1)
		return -EINVAL;
	return 0;
}

static int add_spec(char *text)
{
	struct logspec spec = {0};
	char name[64], path[4096];
	int at = 0;

	if (sscanf(text, "%u %hu %lu %u %63s %4095s%n", &spec.row, &spec.stream, &spec.max_bytes,
		&spec.keep, name, path, &at) != 6 ||
	    spec_count == SPECS)
		return -EINVAL;
	for (char *rest, *word = strtok_r(text + at, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest))
		if (add_option(&spec, word) < 0)
			return -EINVAL;
	spec.name = strdup(name);
	spec.path = strdup(strcmp(path, "-") == 0 ? "" : path);
	for (size_t i = 0; i < spec_count; i++)
		if (specs[i].row == spec.row && specs[i].stream == spec.stream) {
			forget_spec(&specs[i]);
			specs[i] = spec;
			return 0;
		}
	specs[spec_count++] = spec;
	return 0;
}

static int remove_spec(uint32_t row, uint16_t stream)
{
	for (size_t i = 0; i < spec_count; i++)
		if (specs[i].row == row && specs[i].stream == stream) {
			forget_spec(&specs[i]);
			specs[i] = specs[--spec_count];
			return 0;
		}
	return -ENOENT;
}

static int send_specs(void)
{
	int fd, error = logspec_write(specs, spec_count, &fd);

	return error < 0 ? error : hold(HELD_LOG_SPECS, held_key(HELD_LOG_SPECS, 0, 0), fd);
}

static int start_writer(uint32_t slot, const char *command)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		(void)signal(SIGPIPE, SIG_DFL);
		(void)dup2(slots[slot].write_fd, STDOUT_FILENO);
		(void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	slots[slot].writer = pid;
	return 0;
}

static int write_text(uint32_t slot, const char *text, bool newline)
{
	size_t length = strlen(text);

	if (write(slots[slot].write_fd, text, length) != (ssize_t)length)
		return -errno;
	return newline && write(slots[slot].write_fd, "\n", 1) != 1 ? -errno : 0;
}

static int await_drained(uint32_t slot)
{
	for (int i = 0; i < DEADLINE_S * 200; i++) {
		int count;

		if (ioctl(slots[slot].fd, FIONREAD, &count) == 0 && count == 0)
			return 0;
		if (poll_logger() < 0)
			return -ECHILD;
		pause_ms(5);
	}
	return -ETIMEDOUT;
}

static int ask(const struct msg_read_log *request, int *ret_client)
{
	struct msg_head head = {.type = MSG_READ_LOG};
	int pair[2], error;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	error = channel_send(peer_fds[0], &head, request, sizeof(*request), &pair[1], 1, 0);
	close(pair[1]);
	*ret_client = pair[0];
	return error;
}

/* A child copies the replies to `file` until the connection is closed. */
static int read_log(const struct msg_read_log *request, const char *file)
{
	int client, error = ask(request, &client);
	pid_t pid = error < 0 ? -1 : fork();

	if (pid == 0) {
		static char bytes[65536];
		FILE *out = fopen(file, "w");
		ssize_t got;

		/* Not one end of the pipes may live on here. */
		for (int fd = 3; fd < 1024; fd++)
			if (fd != client && (out == NULL || fd != fileno(out)))
				close(fd);
		while (out != NULL && (got = read(client, bytes, sizeof(bytes))) > 0) {
			for (ssize_t i = 0; i < got; i++)
				(void)fputc(bytes[i] == '\0' ? '\n' : bytes[i], out);
			(void)fflush(out);
		}
		if (out != NULL)
			(void)fputs("closed\n", out);
		if (out != NULL)
			(void)fclose(out);
		_exit(0);
	}
	close(client);
	return pid < 0 ? -errno : 0;
}

static int run_shell(const char *command, bool again)
{
	for (int i = 0; i < DEADLINE_S * 50; i++) {
		if (system(command) == 0)
			return 0;
		if (!again || poll_logger() < 0)
			return -1;
		pause_ms(20);
	}
	return -ETIMEDOUT;
}

static int release(uint32_t slot)
{
	close(slots[slot].write_fd);
	slots[slot].write_fd = -1;
	slots[slot].released = true;
	return logger_pid > 0 ? forgive_again(send_type(MSG_RELEASED, slot)) : 0;
}

/* The guardian dies: everything it holds is closed. */
static int abandon(void)
{
	for (size_t i = 0; i < SLOTS; i++) {
		if (slots[i].fd >= 0)
			close(slots[i].fd);
		if (slots[i].write_fd >= 0)
			close(slots[i].write_fd);
	}
	if (own_write >= 0)
		close(own_write);
	close(guardian_fd);
	return await_logger_end();
}

/* A reader of a row's standard input, and the other end for the logger. */
static int start_reader(uint32_t slot, char *rest)
{
	char *command = NULL;
	uint32_t row = (uint32_t)strtoul(rest, &command, 10);
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		(void)dup2(ends[0], STDIN_FILENO);
		(void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	close(ends[0]);
	slots[slot].writer = pid;
	return hold(slot, held_key(HELD_STDIN_WRITE, row, 0), ends[1]);
}

static int run_slot_command(const char *verb, uint32_t slot, char *rest)
{
	if (slot >= SLOTS)
		return -EINVAL;
	if (strcmp(verb, "own") == 0) {
		int error = make_pipe(slot, held_key(HELD_OWN_READ, 0, 0));

		own_write = fcntl(slots[slot].write_fd, F_DUPFD_CLOEXEC, 0);
		return error;
	}
	if (strcmp(verb, "run") == 0)
		return start_writer(slot, rest);
	if (strcmp(verb, "input") == 0)
		return start_reader(slot, rest);
	if (strcmp(verb, "wait") == 0)
		return await_exit(slots[slot].writer) == 0 ? 0 : -1;
	if (strcmp(verb, "say") == 0)
		return write_text(slot, rest, true);
	if (strcmp(verb, "part") == 0)
		return write_text(slot, rest, false);
	if (strcmp(verb, "drained") == 0)
		return await_drained(slot);
	if (strcmp(verb, "release") == 0)
		return release(slot);
	if (strcmp(verb, "close") == 0) {
		close(slots[slot].write_fd);
		slots[slot].write_fd = -1;
		return 0;
	}
	return -EINVAL;
}

static int run_read_command(const char *verb, const char *rest)
{
	struct msg_read_log request = {.follow = 1, .more = 1};
	char file[4096];
	long long lines;
	unsigned row;
	int client;

	if (sscanf(rest, "%u %hu %lld", &row, &request.stream, &lines) != 3)
		return -EINVAL;
	request.row = row;
	request.lines = lines < 0 ? UINT64_MAX : (uint64_t)lines;
	if (strcmp(verb, "hang") == 0)
		return ask(&request, &client);
	if (sscanf(rest, "%*u %*u %*d %hhu %hhu %4095s", &request.follow, &request.more, file) != 3)
		return -EINVAL;
	return read_log(&request, file);
}

/* Waits for the answer. */
static int run_act_command(enum msg_type type, const char *rest)
{
	struct msg_head head = {.type = type};
	struct msg_log_act request;
	char file[4096], reply[4096];
	ssize_t got;
	FILE *out;
	int ends[2], error;

	if (sscanf(rest, "%u %hu %4095s", &request.row, &request.streams, file) != 3)
		return -EINVAL;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	error = channel_send(peer_fds[0], &head, &request, sizeof(request), &ends[1], 1, 0);
	close(ends[1]);
	got = error < 0 ? -1 : recv(ends[0], reply, sizeof(reply), MSG_WAITALL);
	close(ends[0]);
	out = got > 0 ? fopen(file, "w") : NULL;
	if (out == NULL)
		return -EIO;
	(void)fprintf(out, "%s\n", reply);
	return fclose(out);
}

static int set_logger(const char *path)
{
	char *copy = strdup(path);

	if (copy == NULL)
		return -ENOMEM;
	free(logger_path);
	logger_path = copy;
	return 0;
}

/* "NAME VALUE".  Opened and mapped for each command: they are few. */
static int set_fault(char *rest)
{
	const char *name = strsep(&rest, " ");
	long value = rest != NULL ? strtol(rest, NULL, 10) : 0;
	const char *path = getenv("FAULT_PLAN");
	int fd = path != NULL ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666) : -1;
	_Atomic long *plan;

	if (fd < 0 || ftruncate(fd, sizeof(struct plan)) < 0)
		return -EINVAL;
	plan = mmap(NULL, sizeof(struct plan), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (plan == MAP_FAILED)
		return -errno;
	for (size_t i = 0; i < PLAN_COUNT; i++)
		if (strcmp(plan_names[i], name) == 0) {
			plan[i] = value;
			return munmap(plan, sizeof(struct plan));
		}
	return -EINVAL;
}

static int run_line(char *line)
{
	char *rest = line + strcspn(line, " ");
	char *end;
	uint32_t number, row, stream;

	if (*rest != '\0')
		*rest++ = '\0';
	if (strcmp(line, "spec") == 0)
		return add_spec(rest);
	if (strcmp(line, "unspec") == 0)
		return sscanf(rest, "%u %u", &row, &stream) == 2
			   ? remove_spec(row, (uint16_t)stream)
			   : -EINVAL;
	if (strcmp(line, "set") == 0)
		return set_spec(rest);
	if (strcmp(line, "number") == 0) {
		if (sscanf(rest, "%u %u", &row, &number) != 2 || row >= LIMIT_ROWS)
			return -EINVAL;
		atomic_store(&ledger->table[row].run, number);
		return 0;
	}
	if (strcmp(line, "specs") == 0)
		return send_specs();
	if (strcmp(line, "start") == 0)
		return start_logger();
	if (strcmp(line, "kill") == 0)
		return kill_logger();
	if (strcmp(line, "storm") == 0)
		return run_storm(atoi(rest));
	if (strcmp(line, "sh") == 0 || strcmp(line, "until") == 0)
		return run_shell(rest, line[0] == 'u');
	if (strcmp(line, "read") == 0 || strcmp(line, "hang") == 0)
		return run_read_command(line, rest);
	if (strcmp(line, "rotate") == 0)
		return run_act_command(MSG_LOG_ROTATE, rest);
	if (strcmp(line, "reopen") == 0)
		return run_act_command(MSG_LOG_REOPEN, rest);
	if (strcmp(line, "clear") == 0)
		return run_act_command(MSG_LOG_CLEAR, rest);
	if (strcmp(line, "finish") == 0)
		return forgive_again(send_type(MSG_FINISH, 0)) < 0 ? -1 : await_logger_end();
	if (strcmp(line, "fault") == 0)
		return set_fault(rest);
	if (strcmp(line, "nofile") == 0) {
		logger_nofile = strtoul(rest, NULL, 10);
		return 0;
	}
	if (strcmp(line, "logger") == 0)
		return set_logger(rest);
	if (strcmp(line, "abandon") == 0)
		return abandon();
	if (strcmp(line, "pipe") == 0)
		return sscanf(rest, "%u %u %u", &number, &row, &stream) == 3 && number < SLOTS
			   ? make_pipe(number, held_key(HELD_LOG_READ, row, (uint16_t)stream))
			   : -EINVAL;
	number = (uint32_t)strtoul(rest, &end, 10);
	return run_slot_command(line, number, *end == ' ' ? end + 1 : end);
}
