/* SPDX-License-Identifier: ISC */
/*
 * doctorprogram.c: see doctorprogram.h.
 *
 * What the launch does as the engine (streams, the user) is looked at here; then a child becomes
 * what the program would be, by the same steps, and looks at the commands with its eyes.  The
 * launch plan is that of run 0, which no run ever is: nothing takes the child for the program.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/ttylink.h"
#include "supervisord/engine/cluster.h"
#include "supervisord/engine/doctorfile.h"
#include "supervisord/engine/doctorprogram.h"
#include "supervisord/engine/expand.h"
#include "supervisord/engine/ids.h"
#include "supervisord/engine/instname.h"
#include "supervisord/engine/launchplan.h"
#include "supervisord/engine/route.h"
#include "supervisord/engine/tty.h"

/* How long all of a program's own eyes may take. */
#define CHILD_MS 20000
/* Space that a log wants, besides log_max_size: a part of the file system. */
#define SPACE_PART 50

struct looked_at {
	struct findings *findings;
	const struct config *config;
	const struct program_config *program;
	const struct ledger *ledger;
	struct ids ids;
};

/* Every command of a stanza. */
struct command {
	const char *key;
	string_list words;
};
#define COMMANDS 9

static void look_at_streams(struct looked_at *at);
static void look_at_terminal(struct looked_at *at);
static void look_at_stream(struct looked_at *at, const char *key, const struct stdio *stdio);
static void look_at_logs(struct looked_at *at);
static void look_at_log(struct looked_at *at, const char *path, const char *told);
static void look_as_program(struct looked_at *at);
static void look_in_child(const struct looked_at *at, const struct launch_request *request, int fd);
static void look_at_commands(struct looked_at *at, const struct launch_request *base);
static void look_at_command(
    struct looked_at *at, const struct launch_request *base, const struct command *command);
static void look_at_preload(struct looked_at *at);
static void gather(struct looked_at *at, int fd);
static char *expand(const struct looked_at *at, const char *text);

void doctorprogram_look(struct findings *findings, const struct config *config,
    const struct program_config *program, const struct ledger *ledger)
{
	struct looked_at at = {
	    .findings = findings, .config = config, .program = program, .ledger = ledger};
	const char *what = "user";
	int error = ids_resolve(program->key_user, program->key_group, &at.ids, &what);

	if (error < 0) {
		const char *name =
		    strcmp(what, "group") == 0 ? program->key_group : program->key_user;

		findings_add(findings, FINDING_PROBLEM, what, "%s: %s", name != NULL ? name : "",
		    error == -ENOENT  ? "is not in the user database"
		    : error == -EPERM ? "supervisord is not root: it can run programs only as "
					"its own user"
				      : strerror(-error));
		return;
	}
	look_at_streams(&at);
	look_at_logs(&at);
	look_as_program(&at);
	ids_done(&at.ids);
}

static void look_at_streams(struct looked_at *at)
{
	if (at->program->life->key_tty)
		look_at_terminal(at);
	look_at_stream(at, "stdin", &at->program->key_stdin);
	look_at_stream(at, "stdout", &at->program->key_stdout);
	look_at_stream(at, "stderr", &at->program->key_stderr);
}

/* A container may have none. */
static void look_at_terminal(struct looked_at *at)
{
	int fd, error = tty_open_master(&fd);

	if (error == 0)
		close(fd);
	else
		findings_add(at->findings, FINDING_PROBLEM, "tty", TTY_MASTER ": %s%s",
		    strerror(-error),
		    error == -ENOENT || error == -ENODEV || error == -EIO
			? ": devpts has to be mounted on /dev/pts, and " TTY_MASTER
			  " be a link to pts/ptmx"
			: "");
}

/* By the engine, with its rights, as streams_open_path() does; but nothing is made. */
static void look_at_stream(struct looked_at *at, const char *key, const struct stdio *stdio)
{
	bool reads = stdio->kind == STDIO_FILE;
	struct stat status;
	char *path, *slash;

	if (stdio->kind != STDIO_FILE && stdio->kind != STDIO_APPEND && stdio->kind != STDIO_FIFO)
		return;
	path = expand(at, stdio->target);
	if (path == NULL)
		return;
	if (stat(path, &status) == 0) {
		if (stdio->kind == STDIO_FIFO && !S_ISFIFO(status.st_mode))
			findings_add(at->findings, FINDING_PROBLEM, key, "%s: is not a fifo", path);
		else if (stdio->kind != STDIO_FIFO && S_ISDIR(status.st_mode))
			findings_add(
			    at->findings, FINDING_PROBLEM, key, "%s: is a directory", path);
		else if (access(path, reads ? R_OK : W_OK) < 0)
			findings_add(
			    at->findings, FINDING_PROBLEM, key, "%s: %s", path, strerror(errno));
	} else if (errno != ENOENT || stdio->kind != STDIO_APPEND) {
		findings_add(at->findings, FINDING_PROBLEM, key, "%s: %s%s", path, strerror(errno),
		    errno == ENOENT && stdio->kind == STDIO_FIFO ? ": mkfifo makes one" : "");
	} else if ((slash = strrchr(path, '/')) != NULL) {
		*slash = '\0';
		if (access(path[0] != '\0' ? path : "/", W_OK | X_OK) < 0)
			findings_add(at->findings, FINDING_PROBLEM, key, "%s/%s: %s: %s", path,
			    slash + 1, path, strerror(errno));
	}
	free(path);
}

static void look_at_logs(struct looked_at *at)
{
	const struct stdio *streams[] = {&at->program->key_stdout, &at->program->key_stderr};
	char *paths[2] = {NULL, NULL};

	for (int i = 0; i < 2; i++)
		if (route_has_file(streams[i]))
			paths[i] = config_log_path(at->config, at->program, i);
	for (int i = 0; i < 2; i++)
		if (paths[i] != NULL)
			look_at_log(at, paths[i], i == 1 ? paths[0] : NULL);
	free(paths[0]);
	free(paths[1]);
}

/* `told`: a log whose directory was looked at already, or NULL. */
static void look_at_log(struct looked_at *at, const char *path, const char *told)
{
	struct statvfs space;
	size_t length = (size_t)(strrchr(path, '/') - path);
	char *directory;

	if (told != NULL && strncmp(path, told, length + 1) == 0 &&
	    strchr(told + length + 1, '/') == NULL)
		return;
	directory = strndup(path, length > 0 ? length : 1);
	if (directory == NULL)
		return;
	if (access(directory, W_OK | X_OK) < 0) {
		findings_add(at->findings, FINDING_PROBLEM, "log",
		    "%s: %s: its lines wait in a pipe", directory, strerror(errno));
	} else if (statvfs(directory, &space) == 0 && space.f_blocks > 0) {
		uint64_t left = (uint64_t)space.f_bavail * space.f_frsize;

		if (space.f_bavail < space.f_blocks / SPACE_PART ||
		    left < at->program->key_log_max_size || space.f_favail == 0)
			findings_add(at->findings, FINDING_WARNING, "log",
			    "%s: only %llu MB and %llu files are left on this file system",
			    directory, (unsigned long long)(left / 1000000),
			    (unsigned long long)space.f_favail);
	}
	free(directory);
}

static void look_as_program(struct looked_at *at)
{
	const struct ledger_header *header = &at->ledger->header;
	const struct launch_request request = {
	    .config = at->program,
	    .ids = &at->ids,
	    .name = at->program->name,
	    .run_name = at->program->name,
	    .run_dir = at->config->settings.key_run_dir,
	    .run = 0,
	    .nonce = header->nonce,
	    .nofile = {.rlim_cur = header->nofile_soft, .rlim_max = header->nofile_hard},
	    .cgroup = -1,
	};
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0) {
		findings_add(
		    at->findings, FINDING_WARNING, "command", "not looked at: %s", strerror(errno));
		return;
	}
	pid = fork();
	if (pid == 0) {
		look_in_child(at, &request, ends[1]);
		_exit(0);
	}
	close(ends[1]);
	if (pid < 0)
		findings_add(
		    at->findings, FINDING_WARNING, "command", "not looked at: %s", strerror(errno));
	else
		gather(at, ends[0]);
	close(ends[0]);
	if (pid > 0) {
		(void)kill(pid, SIGKILL); /* it has said what it had to say, or took too long */
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
}

static void look_in_child(const struct looked_at *at, const struct launch_request *request, int fd)
{
	struct looked_at here = *at;
	struct launch_plan plan = {.cgroup_procs = -1};
	enum launch_step step = LAUNCH_PREPARE;
	struct findings findings;
	int error = launch_plan_build(&plan, request);
	const char *json;
	size_t length;

	findings_init(&findings, at->findings->name);
	here.findings = &findings;
	if (error == 0)
		error = launch_become(&plan, &step);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); /* a change of ids would have undone it */
	if (error < 0)
		findings_add(&findings, FINDING_PROBLEM,
		    step == LAUNCH_DIRECTORY ? "directory" : launch_step_name(step), "%s%s%s",
		    step == LAUNCH_DIRECTORY ? plan.directory : "",
		    step == LAUNCH_DIRECTORY ? ": " : "", strerror(-error));
	/* Without its ids they would be other eyes. */
	if (error == 0 || step == LAUNCH_DIRECTORY)
		look_at_commands(&here, request);
	json = findings.w.data + 1; /* without the bracket that it begins with */
	length = jsonw_error(&findings.w) == 0 ? findings.w.length - 1 : 0;
	while (length > 0) {
		ssize_t written = write(fd, json, length);

		if (written <= 0)
			break;
		json += written;
		length -= (size_t)written;
	}
}

static void look_at_commands(struct looked_at *at, const struct launch_request *base)
{
	const struct life_config *life = at->program->life;
	const struct command commands[COMMANDS] = {
	    {life->key_match != NULL ? "exec" : "command", at->program->key_command},
	    {"pre_start", life->key_pre_start},
	    {"post_start", life->key_post_start},
	    {"pre_stop", life->key_pre_stop},
	    {"post_stop", life->key_post_stop},
	    {"stop_command", life->key_stop_command},
	    {"reload_command", life->key_reload_command},
	    {"ready", life->key_ready.words},
	    {"health", life->key_health_check.words},
	};

	for (size_t i = 0; i < COMMANDS; i++)
		if (commands[i].words != NULL)
			look_at_command(at, base, &commands[i]);
	if (life->key_on_failure.words != NULL)
		look_at_command(
		    at, base, &(struct command){"on_failure", life->key_on_failure.words});
	look_at_preload(at);
}

static void look_at_preload(struct looked_at *at)
{
	char *path;

	if (cluster_find_preload(at->program, &path) < 0 || path == NULL)
		return;
	if (access(path, R_OK) < 0)
		findings_add(at->findings, FINDING_WARNING, "cluster",
		    "%s: %s: connections that clients keep may be cut at a restart", path,
		    strerror(errno));
	free(path);
}

static void look_at_command(
    struct looked_at *at, const struct launch_request *base, const struct command *command)
{
	struct launch_plan plan = {.cgroup_procs = -1};
	struct launch_request request = *base;
	const char *search = "";

	request.words = command->words;
	if (launch_plan_build(&plan, &request) == 0) {
		for (char **entry = plan.envp; *entry != NULL; entry++)
			if (strncmp(*entry, "PATH=", 5) == 0)
				search = *entry + 5;
		if (!plan.is_own) /* see launch.c: it is run whatever its user may see */
			doctorfile_look(at->findings, command->key, plan.paths, search, plan.envp);
	}
	launch_plan_done(&plan);
}

/* What the child says, until it ends. */
static void gather(struct looked_at *at, int fd)
{
	int64_t deadline_ns = clock_boot_ns() + CHILD_MS * NS_PER_MS;
	char *text = NULL;
	size_t length = 0;

	for (;;) {
		int64_t left_ms = (deadline_ns - clock_boot_ns()) / NS_PER_MS;
		struct pollfd in = {.fd = fd, .events = POLLIN};
		char *larger = realloc(text, length + 4096);
		ssize_t got;

		if (larger == NULL || left_ms <= 0 || poll(&in, 1, (int)left_ms) <= 0) {
			findings_add(at->findings, FINDING_WARNING, "command",
			    "the look took too long and was ended: a file system may not answer");
			text = larger != NULL ? larger : text;
			break;
		}
		text = larger;
		got = read(fd, text + length, 4096);
		if (got <= 0) {
			findings_add_json(at->findings, text, length);
			break;
		}
		length += (size_t)got;
	}
	free(text);
}

/* Expanded as for the program; NULL: could not, which the launch would say, too. */
static char *expand(const struct looked_at *at, const char *text)
{
	struct instname parts;
	const struct expand_words words = {
	    .name = at->program->name,
	    .program = parts.program,
	    .instance = parts.number,
	    .user = at->ids.user,
	    .home = at->ids.home,
	    .run_dir = at->config->settings.key_run_dir,
	};
	char *expanded;
	int error;

	instname_split(at->program->name, &parts);
	error = expand_string(text, &words, &expanded);
	if (error == 0)
		return expanded;
	findings_add(at->findings, FINDING_PROBLEM, "stanza", "%s: %s", text, strerror(-error));
	return NULL;
}
