/* SPDX-License-Identifier: ISC */
/*
 * launch.c: see launch.h, and vclone.h for the way the child is made.
 *
 * The child is the guardian's (CLONE_PARENT), so whoever dies first, there is one parent that
 * collects its status; and the kernel writes its pid into the ledger before its first instruction
 * (CLONE_PARENT_SETTID), so there is no moment when it runs unrecorded.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/vclone.h"
#include "supervisord/engine/expand.h"
#include "supervisord/engine/launch.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
/* Of our own making in an environment: PATH, HOME, USER, LOGNAME, SHELL, and the two SUPERVISORD_*.
 */
#define OWN_VARIABLES 7

/* Not instrumented: the child runs on a borrowed stack in its parent's memory. */
#if defined(__clang__) || defined(__SANITIZE_ADDRESS__)
#define CHILD_CODE __attribute__((no_sanitize("address", "undefined"))) __attribute__((noinline))
#else
#define CHILD_CODE __attribute__((noinline))
#endif

struct plan {
	char **argv;
	char **envp;
	char **paths; /* to try for argv[0], in order */
	char *directory;
	const struct ids *ids;
	mode_t umask;
	struct rlimit nofile;
	sigset_t no_signals;
	struct ledger_failure *failure;
	size_t owned_count; /* strings of our own, to be freed */
	char **owned;
};

#define STEP_NAME(name, text) text,
static const char *const step_names[] = {LAUNCH_STEPS(STEP_NAME)};
#undef STEP_NAME

static int build_plan(const struct launch_request *request, struct plan *plan);
static int build_argv(
    struct plan *plan, const struct program_config *config, const struct expand_words *words);
static int build_environment(
    struct plan *plan, const struct launch_request *request, const struct expand_words *words);
static int build_paths(struct plan *plan);
static const char *find_variable(char *const *environment, const char *name);
static int own_format(struct plan *plan, char **ret_text, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static int own(struct plan *plan, char *text);
static void plan_done(struct plan *plan);
static int stage(const int streams[3]);
static void unstage(void);
static int child_main(void *argument);
static int drop_ids(const struct ids *ids, enum launch_step *step);
static int try_exec(const struct plan *plan);

const char *launch_step_name(enum launch_step step)
{
	return step_names[step];
}

const char *launch_mark(const char *name, uint64_t run, uint64_t nonce, char *buffer, size_t size)
{
	(void)snprintf(buffer, size, "%s:%llu:%016llx", name, (unsigned long long)run,
	    (unsigned long long)nonce);
	return buffer;
}

int launch_init(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return -errno;
	for (int i = 0; i < 3; i++)
		if (dup3(null, LAUNCH_STAGE + i, O_CLOEXEC) < 0 && errno != EINVAL)
			return -errno;
	if (null < LAUNCH_STAGE || null >= LAUNCH_STAGE + 3)
		close(null);
	return 0;
}

int launch_program(const struct launch_request *request, struct ledger *ledger, int row,
    enum launch_step *ret_step)
{
	struct plan plan = {0};
	pid_t pid;
	int error;

	plan.failure = &ledger->table[row].failure;
	*ret_step = LAUNCH_PREPARE;
	error = build_plan(request, &plan);
	if (error < 0)
		goto out;
	*ret_step = LAUNCH_DESCRIPTORS;
	error = stage(request->streams);
	if (error < 0)
		goto out;
	atomic_store(&plan.failure->error, 0);
	atomic_store(&plan.failure->step, LAUNCH_NONE);
	*ret_step = LAUNCH_CLONE;
	pid = vclone(child_main, &plan, CLONE_PARENT | CLONE_PARENT_SETTID,
	    (pid_t *)(uintptr_t)&ledger->pids[row]);
	error = pid < 0 ? (int)pid : 0;
	if (pid > 0)
		ledger->table[row].last_pid = pid;
	unstage();
out:
	plan_done(&plan);
	return error;
}

static int build_plan(const struct launch_request *request, struct plan *plan)
{
	const struct ids *ids = request->ids;
	struct expand_words words = {
	    .name = request->name,
	    .program = request->config->name,
	    .instance = "1",
	    .user = ids->user,
	    .home = ids->home,
	    .run_dir = request->run_dir,
	};
	int error;

	plan->ids = ids;
	plan->umask = request->config->key_umask;
	plan->nofile = request->nofile;
	sigemptyset(&plan->no_signals);
	error = expand_string(request->config->key_directory, &words, &plan->directory);
	if (error < 0)
		return error;
	error = own(plan, plan->directory);
	if (error == 0)
		error = build_argv(plan, request->config, &words);
	if (error == 0)
		error = build_environment(plan, request, &words);
	return error == 0 ? build_paths(plan) : error;
}

static int build_argv(
    struct plan *plan, const struct program_config *config, const struct expand_words *words)
{
	size_t count = 0;

	while (config->key_command[count] != NULL)
		count++;
	plan->argv = calloc(count + 1, sizeof(*plan->argv));
	if (plan->argv == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		int error = expand_string(config->key_command[i], words, &plan->argv[i]);

		if (error == 0)
			error = own(plan, plan->argv[i]);
		if (error < 0)
			return error;
	}
	return 0;
}

/* The stanza's variables first; ours only where it sets none of that name. */
static int build_environment(
    struct plan *plan, const struct launch_request *request, const struct expand_words *words)
{
	const struct program_config *config = request->config;
	char mark[LAUNCH_MARK];
	const struct {
		const char *name;
		const char *value;
	} ours[OWN_VARIABLES] = {
	    {"PATH", DEFAULT_PATH},
	    {"HOME", request->ids->home},
	    {"USER", request->ids->user},
	    {"LOGNAME", request->ids->user},
	    {"SHELL", request->ids->shell},
	    {"SUPERVISORD_NAME", request->name},
	    {"SUPERVISORD_RUN",
		launch_mark(request->name, request->run, request->nonce, mark, sizeof(mark))},
	};
	size_t count = 0, at = 0;

	while (config->key_environment != NULL && config->key_environment[count] != NULL)
		count++;
	plan->envp = calloc(count + OWN_VARIABLES + 1, sizeof(*plan->envp));
	if (plan->envp == NULL)
		return -ENOMEM;
	for (; at < count; at++) {
		int error = expand_string(config->key_environment[at], words, &plan->envp[at]);

		if (error == 0)
			error = own(plan, plan->envp[at]);
		if (error < 0)
			return error;
	}
	for (size_t i = 0; i < OWN_VARIABLES; i++) {
		if (find_variable(plan->envp, ours[i].name) != NULL)
			continue;
		int error = own_format(plan, &plan->envp[at], "%s=%s", ours[i].name, ours[i].value);

		if (error < 0)
			return error;
		at++;
	}
	return 0;
}

/* As execvp(3) would look, but with the program's PATH, and without a shell for a text file. */
static int build_paths(struct plan *plan)
{
	const char *name = plan->argv[0];
	const char *path = find_variable(plan->envp, "PATH");
	size_t count = 1, at = 0;

	for (const char *c = path; *c != '\0'; c++)
		count += *c == ':';
	plan->paths = calloc(count + 1, sizeof(*plan->paths));
	if (plan->paths == NULL)
		return -ENOMEM;
	if (strchr(name, '/') != NULL) {
		plan->paths[0] = plan->argv[0];
		return 0;
	}
	for (;;) {
		size_t length = strcspn(path, ":");
		int error = own_format(plan, &plan->paths[at++], "%.*s%s%s", (int)length, path,
		    length > 0 ? "/" : "", name);

		if (error < 0)
			return error;
		if (path[length] == '\0')
			return 0;
		path += length + 1;
	}
}

static const char *find_variable(char *const *environment, const char *name)
{
	size_t length = strlen(name);

	for (; *environment != NULL; environment++)
		if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=')
			return *environment + length + 1;
	return NULL;
}

static int own_format(struct plan *plan, char **ret_text, const char *format, ...)
{
	va_list arguments;
	char *text;
	int length;

	va_start(arguments, format);
	length = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (length < 0)
		return -ENOMEM;
	*ret_text = text;
	return own(plan, text);
}

/* Takes `text`, also when it fails. */
static int own(struct plan *plan, char *text)
{
	if (plan->owned_count % 16 == 0) {
		char **list = realloc(plan->owned, (plan->owned_count + 16) * sizeof(*list));

		if (list == NULL) {
			free(text);
			return -ENOMEM;
		}
		plan->owned = list;
	}
	plan->owned[plan->owned_count++] = text;
	return 0;
}

static void plan_done(struct plan *plan)
{
	for (size_t i = 0; i < plan->owned_count; i++)
		free(plan->owned[i]);
	free(plan->owned);
	free(plan->argv);
	free(plan->envp);
	free(plan->paths);
}

static int stage(const int streams[3])
{
	for (int i = 0; i < 3; i++)
		if (dup3(streams[i], LAUNCH_STAGE + i, O_CLOEXEC) < 0)
			return -errno;
	return 0;
}

/* Let go of the child's streams, but keep the numbers taken. */
static void unstage(void)
{
	for (int i = 0; i < 3; i++)
		(void)dup3(STDIN_FILENO, LAUNCH_STAGE + i, O_CLOEXEC);
}

/*
 * In the child.  Our memory is the engine's, which stands still; the descriptor table is shared
 * until vclone_keep_below().  Everything the parent has open is close-on-exec.
 */
CHILD_CODE static int child_main(void *argument)
{
	const struct plan *plan = argument;
	enum launch_step step = LAUNCH_DESCRIPTORS;
	int error;

	error = vclone_keep_below(LAUNCH_STAGE + 3);
	for (int i = 0; i < 3 && error == 0; i++)
		if (dup2(LAUNCH_STAGE + i, i) < 0)
			error = -errno;
	if (error < 0)
		goto fail;
	step = LAUNCH_SESSION;
	if (setsid() < 0)
		goto fail_errno;
	step = LAUNCH_LIMITS;
	if (setrlimit(RLIMIT_NOFILE, &plan->nofile) < 0)
		goto fail_errno;
	(void)umask(plan->umask);
	if (plan->ids->change) {
		error = drop_ids(plan->ids, &step);
		if (error < 0)
			goto fail;
	}
	step = LAUNCH_DIRECTORY;
	if (chdir(plan->directory) < 0)
		goto fail_errno;
	step = LAUNCH_SIGNALS;
	if (sigprocmask(SIG_SETMASK, &plan->no_signals, NULL) < 0)
		goto fail_errno;
	step = LAUNCH_EXEC;
	error = try_exec(plan);
	goto fail;
fail_errno:
	error = -errno;
fail:
	atomic_store(&plan->failure->error, -error);
	atomic_store(&plan->failure->step, step);
	_exit(127);
}

/*
 * Groups, then gid, then uid, and then a look whether it is true.  Raw calls: the wrappers of the C
 * library want to tell other threads, with locks and signals that belong to the engine's memory.
 */
CHILD_CODE static int drop_ids(const struct ids *ids, enum launch_step *step)
{
	uid_t uids[3];
	gid_t gids[3];

	*step = LAUNCH_GROUPS;
	if (syscall(SYS_setgroups, ids->group_count, ids->groups) < 0)
		return -errno;
	*step = LAUNCH_GID;
	if (syscall(SYS_setresgid, ids->gid, ids->gid, ids->gid) < 0)
		return -errno;
	*step = LAUNCH_UID;
	if (syscall(SYS_setresuid, ids->uid, ids->uid, ids->uid) < 0)
		return -errno;
	if (getresuid(&uids[0], &uids[1], &uids[2]) < 0 ||
	    getresgid(&gids[0], &gids[1], &gids[2]) < 0)
		return -errno;
	for (int i = 0; i < 3; i++)
		if (uids[i] != ids->uid || gids[i] != ids->gid)
			return -EPERM;
	if (ids->uid != 0 && syscall(SYS_setresuid, 0, 0, 0) == 0)
		return -EPERM; /* root could be had back: nothing of it may run */
	return 0;
}

/* The errno that a person expects: EACCES of a file that is there before ENOENT of the next
 * directory. */
CHILD_CODE static int try_exec(const struct plan *plan)
{
	int error = -ENOENT;

	for (char **path = plan->paths; *path != NULL; path++) {
		execve(*path, plan->argv, plan->envp);
		if (errno == EACCES)
			error = -EACCES;
		else if (errno != ENOENT && errno != ENOTDIR)
			return -errno;
	}
	return error;
}
