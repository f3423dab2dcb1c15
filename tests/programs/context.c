/* SPDX-License-Identifier: ISC */
/*
 * context FILE [WORD…]: writes to FILE, one "key value" a line, all that a program inherits: words,
 * environment, descriptors, signals, limits, ids, directory, mask, session, pid.  Then it exits 0.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

static void print_words(FILE *out, char **argv);
static void print_descriptors(FILE *out, int own);
static void print_status(FILE *out);
static void print_process(FILE *out);

int main(int argc, char **argv)
{
	mode_t mask = umask(0);
	FILE *out;

	umask(mask);
	out = argc > 1 ? fopen(argv[1], "we") : NULL;
	if (out == NULL)
		return 2;
	fprintf(out, "umask %04o\n", (unsigned)mask);
	print_words(out, argv);
	print_descriptors(out, fileno(out));
	print_status(out);
	print_process(out);
	fputs("end\n", out);
	return fclose(out) == 0 ? 0 : 1;
}

static void print_words(FILE *out, char **argv)
{
	for (int i = 0; argv[i] != NULL; i++)
		fprintf(out, "argv %d %s\n", i, argv[i]);
	for (int i = 0; environ[i] != NULL; i++)
		fprintf(out, "env %s\n", environ[i]);
}

/* By asking for each, not by /proc/self/fd: that would show a descriptor of its own. */
static void print_descriptors(FILE *out, int own)
{
	char link[64], target[PATH_MAX];

	for (int fd = 0; fd < 65536; fd++) {
		ssize_t length;

		if (fd == own || fcntl(fd, F_GETFD) < 0)
			continue;
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		length = readlink(link, target, sizeof(target) - 1);
		target[length > 0 ? length : 0] = '\0';
		fprintf(out, "fd %d %s\n", fd, target);
	}
}

static void print_status(FILE *out)
{
	static const char *const wanted[] = {"Uid:", "Gid:", "Groups:", "SigBlk:", "SigIgn:"};
	FILE *status = fopen("/proc/self/status", "re");
	char line[1024];

	while (status != NULL && fgets(line, sizeof(line), status) != NULL) {
		for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
			if (strncmp(line, wanted[i], strlen(wanted[i])) == 0)
				fputs(line, out);
	}
	if (status != NULL)
		fclose(status);
}

static void print_process(FILE *out)
{
	char directory[PATH_MAX];
	struct rlimit limit;

	if (getcwd(directory, sizeof(directory)) != NULL)
		fprintf(out, "cwd %s\n", directory);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		fprintf(out, "nofile %llu %llu\n", (unsigned long long)limit.rlim_cur,
		    (unsigned long long)limit.rlim_max);
	fprintf(out, "session %s\n", getsid(0) == getpid() ? "own" : "foreign");
	fprintf(out, "pid %d\n", (int)getpid());
	fprintf(out, "group %s\n", getpgrp() == getpid() ? "own" : "foreign");
}
