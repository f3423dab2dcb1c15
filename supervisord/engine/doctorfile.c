/* SPDX-License-Identifier: ISC */
/* doctorfile.c: see doctorfile.h. */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisord/engine/doctorfile.h"

/* As the kernel's BINPRM_BUF_SIZE and its limit of scripts that are interpreters of scripts. */
#define HEAD_BYTES  256
#define SCRIPT_DEEP 4
/* Of what the loader says; and how long it may take. */
#define LIST_BYTES (64 * 1024)
#define LIST_MS    5000

#if __SIZEOF_POINTER__ == 8
#define OWN_CLASS ELFCLASS64
typedef Elf64_Ehdr elf_header;
typedef Elf64_Phdr elf_segment;
#else
#define OWN_CLASS ELFCLASS32
typedef Elf32_Ehdr elf_header;
typedef Elf32_Phdr elf_segment;
#endif

struct look {
	struct findings *findings;
	const char *check;
	char *const *envp;
	const char *search; /* PATH */
	unsigned depth;     /* of scripts */
};

static const char *find_file(const struct look *look, char *const *paths);
static void tell_denied(const struct look *look, const char *path);
static void look_at(const struct look *look, const char *path);
static void look_at_script(const struct look *look, const char *path, char *head);
static void look_for_env(const struct look *look, const char *path, char *argument);
static void look_at_elf(const struct look *look, const char *path, int fd);
static bool read_loader(int fd, const elf_header *header, char *loader, size_t size);
static void look_at_libraries(const struct look *look, const char *path, const char *loader);
static int list_libraries(
    const struct look *look, const char *path, const char *loader, char *text, size_t size);
static int collect(int fd, char *text, size_t size);
static bool tell_missing(const struct look *look, const char *path, char *text);

void doctorfile_look(struct findings *findings, const char *check, char *const *paths,
    const char *search, char *const *envp)
{
	struct look look = {findings, check, envp, search, 0};
	const char *path = find_file(&look, paths);

	if (path != NULL)
		look_at(&look, path);
}

/* The file that exec would take, as try_exec() of launch.c chooses it; NULL: none, which is told.
 */
static const char *find_file(const struct look *look, char *const *paths)
{
	bool searched = strcmp(paths[0], look->search) != 0 && paths[1] != NULL;
	const char *denied = NULL;
	struct stat status;

	for (char *const *path = paths; *path != NULL; path++) {
		if (access(*path, X_OK) == 0 && stat(*path, &status) == 0 &&
		    S_ISREG(status.st_mode))
			return *path;
		if (denied == NULL && errno != ENOENT && errno != ENOTDIR)
			denied = *path;
		if (denied == NULL && stat(*path, &status) == 0)
			denied = *path;
	}
	if (denied != NULL)
		tell_denied(look, denied);
	else if (searched)
		findings_add(look->findings, FINDING_PROBLEM, look->check,
		    "%s: is in no directory of PATH: %s", strrchr(paths[0], '/') + 1, look->search);
	else
		findings_add(look->findings, FINDING_PROBLEM, look->check, "%s: %s", paths[0],
		    strerror(ENOENT));
	return NULL;
}

static void tell_denied(const struct look *look, const char *path)
{
	struct stat status;

	if (stat(path, &status) < 0)
		findings_add(look->findings, FINDING_PROBLEM, look->check, "%s: %s%s", path,
		    strerror(errno),
		    errno == EACCES ? ": this user may not search a directory of it" : "");
	else if (S_ISREG(status.st_mode))
		findings_add(look->findings, FINDING_PROBLEM, look->check,
		    "%s: not executable for this user (mode %04o, owner %u:%u): chmod +x, or a "
		    "file system that is mounted noexec",
		    path, (unsigned)status.st_mode & 07777, (unsigned)status.st_uid,
		    (unsigned)status.st_gid);
	else
		findings_add(look->findings, FINDING_PROBLEM, look->check, "%s: %s", path,
		    S_ISDIR(status.st_mode) ? "is a directory" : "is not a regular file");
}

static void look_at(const struct look *look, const char *path)
{
	char head[HEAD_BYTES + 1] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length;

	if (fd < 0) {
		/* Execute permission alone is enough to run it. */
		findings_add(look->findings, FINDING_NOTE, look->check,
		    "%s: executable, but this user may not read it: not looked into", path);
		return;
	}
	length = read(fd, head, HEAD_BYTES);
	if (length >= SELFMAG && memcmp(head, ELFMAG, SELFMAG) == 0)
		look_at_elf(look, path, fd);
	else if (length >= 2 && head[0] == '#' && head[1] == '!')
		look_at_script(look, path, head);
	else
		findings_add(look->findings, FINDING_PROBLEM, look->check,
		    "%s: %s: begin a script with a line such as #!/bin/sh, or set shell = true",
		    path, length <= 0 ? "an empty file" : "neither a program nor a script");
	close(fd);
}

/* "#!INTERPRETER [ARGUMENT]", up to the end of the line; the kernel takes the rest as one word. */
static void look_at_script(const struct look *look, const char *path, char *head)
{
	char *line = head + 2, *end = strchr(line, '\n');
	struct look next = *look;
	char *word, *argument;

	if (end != NULL)
		*end = '\0';
	word = line + strspn(line, " \t");
	argument = word + strcspn(word, " \t");
	if (*argument != '\0')
		*argument++ = '\0';
	argument += strspn(argument, " \t");
	if (strchr(word, '\r') != NULL || strchr(argument, '\r') != NULL) {
		findings_add(look->findings, FINDING_PROBLEM, look->check,
		    "%s: its first line ends with a carriage return: save it with Unix line ends",
		    path);
		return;
	}
	next.depth++;
	if (*word == '\0' || end == NULL || next.depth > SCRIPT_DEEP) {
		findings_add(look->findings, FINDING_PROBLEM, look->check, "%s: %s", path,
		    *word == '\0' ? "#! without an interpreter"
		    : end == NULL ? "its #! line is longer than the kernel reads"
				  : "an interpreter of an interpreter, too deep");
		return;
	}
	if (access(word, X_OK) < 0) {
		findings_add(look->findings, FINDING_PROBLEM, look->check,
		    "%s: its interpreter %s: %s", path, word, strerror(errno));
		return;
	}
	if (strcmp(word, "/usr/bin/env") == 0)
		look_for_env(&next, path, argument);
	else
		look_at(&next, word);
}

/* The word after env, or after its -S. */
static void look_for_env(const struct look *look, const char *path, char *argument)
{
	char found[PATH_MAX];
	const char *at = look->search;
	size_t length;

	if (strncmp(argument, "-S", 2) == 0)
		argument += 2 + strspn(argument + 2, " \t");
	argument[strcspn(argument, " \t")] = '\0';
	if (*argument == '\0' || *argument == '-' || strchr(argument, '=') != NULL) {
		findings_add(look->findings, FINDING_NOTE, look->check,
		    "%s: run by env in a way that is not looked into", path);
		return;
	}
	for (;; at += length + 1) {
		int size;

		length = strcspn(at, ":");
		size = snprintf(
		    found, sizeof(found), "%.*s/%s", (int)length, length > 0 ? at : ".", argument);
		if (size > 0 && (size_t)size < sizeof(found) && access(found, X_OK) == 0) {
			look_at(look, found);
			return;
		}
		if (at[length] == '\0')
			break;
	}
	findings_add(look->findings, FINDING_PROBLEM, look->check,
	    "%s: wants %s, which is in no directory of PATH: %s", path, argument, look->search);
}

static void look_at_elf(const struct look *look, const char *path, int fd)
{
	elf_header header, own;
	char loader[PATH_MAX];
	int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	bool known = self >= 0 && pread(self, &own, sizeof(own), 0) == (ssize_t)sizeof(own);

	if (self >= 0)
		close(self);
	if (pread(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header)) {
		findings_add(
		    look->findings, FINDING_PROBLEM, look->check, "%s: is cut short", path);
		return;
	}
	/* What the kernel runs besides our own kind (32-bit programs, by binfmt_misc) is not
	 * known here. */
	if (header.e_ident[EI_CLASS] != OWN_CLASS || (known && header.e_machine != own.e_machine)) {
		findings_add(look->findings, FINDING_WARNING, look->check,
		    "%s: made for another kind of processor (ELF machine %u, %s bits)", path,
		    (unsigned)header.e_machine,
		    header.e_ident[EI_CLASS] == ELFCLASS64 ? "64" : "32");
		return;
	}
	if (!read_loader(fd, &header, loader, sizeof(loader))) {
		findings_add(look->findings, FINDING_OK, look->check, "%s", path);
		return;
	}
	if (access(loader, X_OK) < 0)
		findings_add(look->findings, FINDING_PROBLEM, look->check,
		    "%s: its dynamic loader %s: %s: made for another C library or distribution",
		    path, loader, strerror(errno));
	else
		look_at_libraries(look, path, loader);
}

/* The PT_INTERP of a dynamic program; false: it has none. */
static bool read_loader(int fd, const elf_header *header, char *loader, size_t size)
{
	for (unsigned i = 0; i < header->e_phnum && i < 64; i++) {
		elf_segment segment;
		off_t at = (off_t)header->e_phoff + (off_t)i * header->e_phentsize;

		if (pread(fd, &segment, sizeof(segment), at) != (ssize_t)sizeof(segment))
			return false;
		if (segment.p_type != PT_INTERP)
			continue;
		if (segment.p_filesz == 0 || segment.p_filesz >= size ||
		    pread(fd, loader, segment.p_filesz, (off_t)segment.p_offset) !=
			(ssize_t)segment.p_filesz)
			return false;
		loader[segment.p_filesz] = '\0';
		return loader[0] == '/';
	}
	return false;
}

static void look_at_libraries(const struct look *look, const char *path, const char *loader)
{
	struct stat status;
	char *text;
	int error;

	/* It is about to be run, with the name that a file of anybody's has given it. */
	if (stat(loader, &status) < 0 || status.st_uid != 0 || (status.st_mode & 022) != 0) {
		findings_add(look->findings, FINDING_NOTE, look->check,
		    "%s: its dynamic loader %s is not the system's: libraries not looked at", path,
		    loader);
		return;
	}
	text = malloc(LIST_BYTES);
	if (text == NULL)
		return;
	error = list_libraries(look, path, loader, text, LIST_BYTES);
	if (error < 0)
		findings_add(look->findings, FINDING_NOTE, look->check,
		    "%s: its libraries could not be listed: %s", path, strerror(-error));
	else if (!tell_missing(look, path, text))
		findings_add(look->findings, FINDING_OK, look->check, "%s", path);
	free(text);
}

/* LOADER --list FILE, which glibc and musl know: maps the file and runs nothing of it. */
static int list_libraries(
    const struct look *look, const char *path, const char *loader, char *text, size_t size)
{
	const char *const argv[] = {loader, "--list", path, NULL};
	int ends[2], error;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid == 0) {
		(void)dup2(ends[1], STDOUT_FILENO);
		(void)dup2(ends[1], STDERR_FILENO);
		execve(loader, (char *const *)(uintptr_t)argv, look->envp);
		_exit(127);
	}
	error = pid < 0 ? -errno : 0;
	close(ends[1]);
	if (pid > 0) {
		error = collect(ends[0], text, size);
		if (error < 0)
			kill(pid, SIGKILL);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	close(ends[0]);
	return error;
}

/* All that comes, as a string; what is too much is read and forgotten. */
static int collect(int fd, char *text, size_t size)
{
	size_t have = 0;
	char spill[4096];

	for (;;) {
		struct pollfd in = {.fd = fd, .events = POLLIN};
		ssize_t length;
		int ready = poll(&in, 1, LIST_MS);

		if (ready <= 0)
			return ready < 0 ? -errno : -ETIMEDOUT;
		length = have + 1 < size ? read(fd, text + have, size - 1 - have)
					 : read(fd, spill, sizeof(spill));
		if (length < 0)
			return -errno;
		if (length == 0)
			break;
		if (have + 1 < size)
			have += (size_t)length;
	}
	text[have] = '\0';
	return 0;
}

/* "libx.so.1 => not found" of glibc, "Error loading shared library libx.so.1: No such file …" of
 * musl, "version `GLIBC_2.38' not found (required by …)". */
static bool tell_missing(const struct look *look, const char *path, char *text)
{
	bool told = false;
	char *rest = NULL;

	for (char *line = strtok_r(text, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		char *arrow = strstr(line, " => not found");

		if (arrow == NULL && strstr(line, "not found") == NULL &&
		    strstr(line, "Error loading") == NULL && strstr(line, "cannot open") == NULL)
			continue;
		line += strspn(line, " \t");
		if (arrow != NULL)
			*arrow = '\0';
		findings_add(look->findings, FINDING_PROBLEM, look->check, "%s: %s%s", path,
		    arrow != NULL ? "shared library not found: " : "", line);
		told = true;
	}
	return told;
}
