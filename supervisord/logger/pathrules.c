/* SPDX-License-Identifier: ISC */
/* pathrules.c: see pathrules.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/types.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "supervisord/logger/logfile.h"
#include "supervisord/logger/pathrules.h"
#include "supervisord/logger/sandbox.h"

/* linux/landlock.h, of which older systems have no, or only the first, part. */
enum {
	CREATE_RULESET_VERSION = 1,
	RULE_PATH_BENEATH = 1,
};

/* clang-format off */
#define FS_EXECUTE     (1ULL << 0)
#define FS_WRITE_FILE  (1ULL << 1)
#define FS_READ_FILE   (1ULL << 2)
#define FS_READ_DIR    (1ULL << 3)
#define FS_REMOVE_FILE (1ULL << 5)
#define FS_MAKE_DIR    (1ULL << 7)
#define FS_MAKE_REG    (1ULL << 8)
#define FS_ABI_1       ((1ULL << 13) - 1)
#define FS_REFER       (1ULL << 13) /* ABI 2 */
#define FS_TRUNCATE    (1ULL << 14) /* ABI 3 */
#define FS_IOCTL_DEV   (1ULL << 15) /* ABI 5 */
#define NET_BIND_TCP   (1ULL << 0)  /* ABI 4 */
#define SCOPE_ABSTRACT_UNIX_SOCKET (1ULL << 0) /* ABI 6 */
#define SCOPE_SIGNAL   (1ULL << 1)
/* clang-format on */

#define ACCESS_LOGS                                                                                \
	(FS_WRITE_FILE | FS_READ_FILE | FS_READ_DIR | FS_REMOVE_FILE | FS_MAKE_DIR | FS_MAKE_REG | \
	    FS_TRUNCATE)
#define ACCESS_SYSTEM (FS_READ_FILE | FS_READ_DIR)
#define ACCESS_DEVICE (FS_READ_FILE | FS_WRITE_FILE)

struct ruleset_attr {
	uint64_t handled_access_fs;
	uint64_t handled_access_net;
	uint64_t scoped;
};

struct path_beneath_attr {
	uint64_t allowed_access;
	int32_t parent_fd;
} __attribute__((packed));

/*
 * Open: dev and ino are the directory's own.  Else it could not be made, and they and the time are
 * those of the nearest one above it that there was.
 */
struct pathrule {
	char *directory;
	bool is_open;
	dev_t dev;
	ino_t ino;
	struct timespec changed;
};

static const struct pathrule *find_rule(const struct pathrules *rules, const char *directory);
static int copy_directory(const char *path, char **ret_directory);
static int create_ruleset(struct ruleset_attr *ret_attr);
static int open_system(int ruleset_fd, const struct ruleset_attr *attr);
static int open_directory(int ruleset_fd, const struct ruleset_attr *attr, struct pathrule *rule);
static void note_closed(struct pathrule *rule);
static int allow(int ruleset_fd, const struct ruleset_attr *attr, int fd, uint64_t access);
static bool find_above(const char *directory, char *ret_above, size_t size, struct stat *ret_st);
static bool could_be_made_now(const struct pathrule *rule);
static bool is_below_rule(const struct pathrules *rules, const char *directory);

int pathrules_add(struct pathrules *rules, const char *path)
{
	struct pathrule *grown;
	char *directory;
	int error = copy_directory(path, &directory);

	if (error < 0)
		return error;
	if (find_rule(rules, directory) != NULL) {
		free(directory);
		return 0;
	}
	grown = realloc(rules->rules, (rules->count + 1) * sizeof(*grown));
	if (grown == NULL) {
		free(directory);
		return -ENOMEM;
	}
	rules->rules = grown;
	rules->rules[rules->count++] = (struct pathrule){.directory = directory};
	return 0;
}

int pathrules_enforce(struct pathrules *rules)
{
	struct ruleset_attr attr = {0};
	int ruleset_fd = create_ruleset(&attr);
	int error;

	if (ruleset_fd < 0)
		return ruleset_fd;
	error = open_system(ruleset_fd, &attr);
	for (size_t i = 0; i < rules->count && error == 0; i++)
		error = open_directory(ruleset_fd, &attr, &rules->rules[i]);
	if (error == 0 && syscall(SYS_landlock_restrict_self, ruleset_fd, 0) < 0)
		error = -errno;
	close(ruleset_fd);
	return error;
}

size_t pathrules_count(const struct pathrules *rules)
{
	size_t count = 0;

	for (size_t i = 0; i < rules->count; i++)
		count += rules->rules[i].is_open;
	return count;
}

/*
 * A directory that exists is open if a rule stands on it or above it; a new process would have
 * one.  One that does not exist is made by whoever starts: unless that was tried already, in vain,
 * and nothing has changed since.
 */
bool pathrules_is_outdated(const struct pathrules *rules, const char *path)
{
	const struct pathrule *rule;
	struct stat st;
	char *directory;
	bool is_outdated = false;

	if (copy_directory(path, &directory) < 0)
		return false;
	if (stat(directory, &st) == 0) {
		is_outdated = S_ISDIR(st.st_mode) && !is_below_rule(rules, directory);
	} else if (errno == ENOENT) {
		rule = find_rule(rules, directory);
		is_outdated = rule == NULL || rule->is_open || could_be_made_now(rule);
	}
	free(directory);
	return is_outdated;
}

void pathrules_done(struct pathrules *rules)
{
	for (size_t i = 0; i < rules->count; i++)
		free(rules->rules[i].directory);
	free(rules->rules);
	*rules = (struct pathrules){0};
}

/* The last ones first: neighbours in the table of specs have the same directory. */
static const struct pathrule *find_rule(const struct pathrules *rules, const char *directory)
{
	for (size_t i = rules->count; i > 0; i--)
		if (strcmp(rules->rules[i - 1].directory, directory) == 0)
			return &rules->rules[i - 1];
	return NULL;
}

static int copy_directory(const char *path, char **ret_directory)
{
	const char *slash = strrchr(path, '/');
	char *directory;

	if (path[0] != '/')
		return -EINVAL;
	directory = slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
	if (directory == NULL)
		return -ENOMEM;
	*ret_directory = directory;
	return 0;
}

/* Whatever this kernel can handle is handled: an access that has no rule is refused. */
static int create_ruleset(struct ruleset_attr *ret_attr)
{
	struct ruleset_attr attr = {.handled_access_fs = FS_ABI_1};
	long abi, fd;

#ifdef SANDBOX_SANITIZED
	return -ENOTSUP;
#endif
	abi = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);
	if (abi < 0)
		return -errno;
	if (abi >= 2)
		attr.handled_access_fs |= FS_REFER;
	if (abi >= 3)
		attr.handled_access_fs |= FS_TRUNCATE;
	if (abi >= 4)
		attr.handled_access_net = NET_BIND_TCP;
	if (abi >= 5)
		attr.handled_access_fs |= FS_IOCTL_DEV;
	if (abi >= 6)
		attr.scoped = SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL;
	fd = syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (fd < 0)
		return -errno;
	*ret_attr = attr;
	return (int)fd;
}

static int open_system(int ruleset_fd, const struct ruleset_attr *attr)
{
	static const struct {
		const char *path;
		uint64_t access;
	} paths[] = {
	    {"/etc", ACCESS_SYSTEM},
	    {"/usr", ACCESS_SYSTEM},
	    {"/lib", ACCESS_SYSTEM},
	    {"/lib64", ACCESS_SYSTEM},
	    {"/proc/self", ACCESS_SYSTEM},
	    {"/dev/null", ACCESS_DEVICE},
	};
	int error = 0;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]) && error == 0; i++) {
		int fd = open(paths[i].path, O_PATH | O_CLOEXEC);

		if (fd < 0 && (errno == ENOENT || errno == EACCES))
			continue;
		if (fd < 0)
			return -errno;
		error = allow(ruleset_fd, attr, fd, paths[i].access);
		close(fd);
	}
	return error;
}

static int open_directory(int ruleset_fd, const struct ruleset_attr *attr, struct pathrule *rule)
{
	char below[PATH_MAX];
	struct stat st;
	int fd, error;

	/* Should this fail, so does the open. */
	if (snprintf(below, sizeof(below), "%s/.", rule->directory) < (int)sizeof(below))
		(void)logfile_make_parents(below);
	fd = open(rule->directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM))
		return -errno;
	if (fd < 0) {
		note_closed(rule);
		return 0;
	}
	if (fstat(fd, &st) < 0)
		error = -errno;
	else
		error = allow(ruleset_fd, attr, fd, ACCESS_LOGS);
	close(fd);
	if (error < 0)
		return error;
	rule->is_open = true;
	rule->dev = st.st_dev;
	rule->ino = st.st_ino;
	return 0;
}

static void note_closed(struct pathrule *rule)
{
	char above[PATH_MAX];
	struct stat st;

	if (!find_above(rule->directory, above, sizeof(above), &st))
		return;
	rule->dev = st.st_dev;
	rule->ino = st.st_ino;
	rule->changed = st.st_ctim;
}

/* The nearest directory above one that does not exist. */
static bool find_above(const char *directory, char *ret_above, size_t size, struct stat *ret_st)
{
	char *slash;

	if (snprintf(ret_above, size, "%s", directory) >= (int)size)
		return false;
	while ((slash = strrchr(ret_above, '/')) != NULL && slash > ret_above) {
		*slash = '\0';
		if (stat(ret_above, ret_st) == 0 && S_ISDIR(ret_st->st_mode))
			return true;
	}
	(void)snprintf(ret_above, size, "/");
	return stat(ret_above, ret_st) == 0;
}

/* What is above it has changed since, and may be written. */
static bool could_be_made_now(const struct pathrule *rule)
{
	char above[PATH_MAX];
	struct stat st;

	return find_above(rule->directory, above, sizeof(above), &st) &&
	       (st.st_dev != rule->dev || st.st_ino != rule->ino ||
		   st.st_ctim.tv_sec != rule->changed.tv_sec ||
		   st.st_ctim.tv_nsec != rule->changed.tv_nsec) &&
	       faccessat(AT_FDCWD, above, W_OK | X_OK, AT_EACCESS) == 0;
}

static int allow(int ruleset_fd, const struct ruleset_attr *attr, int fd, uint64_t access)
{
	struct path_beneath_attr rule = {
	    .allowed_access = access & attr->handled_access_fs,
	    .parent_fd = fd,
	};

	return syscall(SYS_landlock_add_rule, ruleset_fd, RULE_PATH_BENEATH, &rule, 0) < 0 ? -errno
											   : 0;
}

/* The kernel walks up from the file in the same way. */
static bool is_below_rule(const struct pathrules *rules, const char *directory)
{
	char path[PATH_MAX];
	int length = snprintf(path, sizeof(path), "%s", directory);
	struct stat st, last = {0};

	while (length > 0 && length + 4 < (int)sizeof(path) && stat(path, &st) == 0) {
		for (size_t i = 0; i < rules->count; i++)
			if (rules->rules[i].is_open && rules->rules[i].ino == st.st_ino &&
			    rules->rules[i].dev == st.st_dev)
				return true;
		if (st.st_ino == last.st_ino && st.st_dev == last.st_dev)
			return false; /* the root is its own parent */
		last = st;
		memcpy(path + length, "/..", 4);
		length += 3;
	}
	return false;
}
