/* SPDX-License-Identifier: ISC */
/*
 * main.c of supervisord(8), the guardian: options, descriptors 0 to 2, daemon(7), and off it goes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/libexec.h"
#include "lib/ownlog.h"
#include "supervisord/guardian/guardian.h"
#include "supervisord/guardian/notify.h"

#define EXIT_USAGE 2

/* Options without a letter. */
enum { OPTION_LOG_FORMAT = 256 };

static const char usage_text[] =
    "usage: supervisord [-c FILE] [-n | -d | -t] [--log-format=FORMAT]\n"
    "  -c, --config FILE   read this configuration (default " PKGSYSCONFDIR "/supervisord.conf)\n"
    "  -n, --foreground    stay in the foreground (default)\n"
    "  -d, --daemon        go to the background; returns when supervisord serves\n"
    "  -t, --test          check the configuration, print every error, exit 0 or 1\n"
    "  --log-format=FORMAT what programs that inherit the output print: raw, prefix or json\n"
    "  -V, --version       print the version\n"
    "  -h, --help          print this\n"
    "Signals: HUP apply the configuration, TERM and INT shut down.  See supervisord(8).\n";

struct arguments {
	struct guardian_options options;
	bool daemon;
	bool test;
};

static void parse_arguments(int argc, char **argv, struct arguments *arguments);
static const char *check_log_format(const char *format);
static void check_configuration(const char *libexec_dir, const char *config_path)
    __attribute__((noreturn));
static void ensure_standard_fds(void);
static const char *make_absolute(const char *path);
static int become_daemon(void);
static void wait_for_start(int fd, pid_t child) __attribute__((noreturn));

int main(int argc, char **argv)
{
	struct arguments arguments = {.options.started_fd = -1};
	char libexec_dir[PATH_MAX];

	ownlog_init("guardian", OWNLOG_NOTICE);
	ensure_standard_fds();
	parse_arguments(argc, argv, &arguments);
	libexec_find(libexec_dir, sizeof(libexec_dir));
	/* For the engine; programs get none of it.  Of each size that it has freed glibc's malloc
	 * keeps some, which malloc_trim(3) does not give back: 100 KB after a configuration. */
	(void)setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0", 0);
	if (arguments.test)
		check_configuration(libexec_dir, arguments.options.config_path);
	notify_init();
	if (arguments.daemon) {
		arguments.options.config_path = make_absolute(arguments.options.config_path);
		arguments.options.own_log_pipe = true;
		arguments.options.started_fd = become_daemon();
	}
	return guardian_run(&arguments.options, libexec_dir);
}

static void parse_arguments(int argc, char **argv, struct arguments *arguments)
{
	static const struct option options[] = {
	    {"config", required_argument, NULL, 'c'},
	    {"foreground", no_argument, NULL, 'n'},
	    {"daemon", no_argument, NULL, 'd'},
	    {"test", no_argument, NULL, 't'},
	    {"log-format", required_argument, NULL, OPTION_LOG_FORMAT},
	    {"version", no_argument, NULL, 'V'},
	    {"help", no_argument, NULL, 'h'},
	    {0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "+c:ndtVh", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			arguments->options.config_path = optarg;
			break;
		case 'n':
			arguments->daemon = false;
			break;
		case 'd':
			arguments->daemon = true;
			break;
		case 't':
			arguments->test = true;
			break;
		case OPTION_LOG_FORMAT:
			arguments->options.log_format = check_log_format(optarg);
			break;
		case 'V':
			puts("supervisord " SUPERVISORD_VERSION);
			exit(0);
		case 'h':
			fputs(usage_text, stdout);
			exit(0);
		default:
			fputs("supervisord: see supervisord --help\n", stderr);
			exit(EXIT_USAGE);
		}
	}
	/* The kernel hands unknown words of its command line to PID 1: no reason not to boot. */
	if (optind < argc && getpid() != 1) {
		fprintf(stderr, "supervisord: unexpected argument \"%s\"; see supervisord --help\n",
		    argv[optind]);
		exit(EXIT_USAGE);
	}
}

static const char *check_log_format(const char *format)
{
	if (strcmp(format, "raw") == 0 || strcmp(format, "prefix") == 0 ||
	    strcmp(format, "json") == 0)
		return format;
	fprintf(stderr, "supervisord: --log-format=%s: raw, prefix or json is allowed\n", format);
	exit(EXIT_USAGE);
}

static void check_configuration(const char *libexec_dir, const char *config_path)
{
	char path[PATH_MAX + 16];

	(void)snprintf(path, sizeof(path), "%s/engine", libexec_dir);
	if (config_path != NULL)
		execl(path, path, "-t", "-c", config_path, (char *)NULL);
	else
		execl(path, path, "-t", (char *)NULL);
	fprintf(stderr, "supervisord: %s: %s\n", path, strerror(errno));
	exit(1);
}

/* A missing 0, 1 or 2 would be taken by the first file we open, and then written to. */
static void ensure_standard_fds(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

/* A daemon leaves its working directory; the name it was given is to mean the same file ever after.
 */
static const char *make_absolute(const char *path)
{
	static char absolute[PATH_MAX];

	if (path == NULL)
		return NULL;
	if (realpath(path, absolute) == NULL) {
		fprintf(stderr, "supervisord: %s: %s\n", path, strerror(errno));
		exit(1);
	}
	return absolute;
}

/* The parent stays until the start is decided; the child goes on and gets the descriptor to say so.
 */
static int become_daemon(void)
{
	int fds[2], null;
	pid_t child;

	if (pipe2(fds, O_CLOEXEC) < 0 || (child = fork()) < 0) {
		fprintf(stderr, "supervisord: cannot go to the background: %s\n", strerror(errno));
		exit(1);
	}
	if (child > 0) {
		close(fds[1]);
		wait_for_start(fds[0], child);
	}
	close(fds[0]);
	setsid();
	(void)!chdir("/");
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0) {
		(void)dup2(null, STDIN_FILENO);
		(void)dup2(null, STDOUT_FILENO);
		close(null);
	}
	/* Descriptor 2 stays the caller's until supervisord serves: errors of the start belong
	 * there. */
	return fds[1];
}

static void wait_for_start(int fd, pid_t child)
{
	unsigned char code;
	ssize_t got;

	do
		got = read(fd, &code, 1);
	while (got < 0 && errno == EINTR);
	if (got == 1)
		exit(code);
	(void)waitpid(child, NULL, WNOHANG);
	fputs("supervisord: it ended before it served\n", stderr);
	exit(1);
}
