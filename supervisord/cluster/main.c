/* SPDX-License-Identifier: ISC */
/*
 * main.c: cluster --mode MODE --listen RULE… [--patience DURATION] [--ask-below PORT]: the primary
 * of a cluster, started by the engine with the descriptors of lib/clusterlink.h.  See cluster.h.
 * Ports below PORT are the engine's to bind; else those that the kernel gives to root only.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/ownlog.h"
#include "lib/units.h"
#include "supervisord/cluster/cluster.h"

#define ALLOWED "allowed are --mode, --listen, --patience and --ask-below with a port"

static void read_options(int argc, char **argv, struct cluster_options *options);
static enum cluster_mode read_mode(const char *text);
static void add_rule(struct cluster_options *options, const char *text);
static unsigned read_privileged(void);
static void check_descriptors(void);
static void refuse(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

int main(int argc, char **argv)
{
	static struct cluster_options options = {.patience_ns = LIMIT_CLUSTER_STUCK_NS};

	ownlog_init("cluster", OWNLOG_NOTICE);
	options.privileged = read_privileged();
	read_options(argc, argv, &options);
	check_descriptors();
	/* The engine sees to it that workers are gone first. */
	signal(SIGPIPE, SIG_IGN);
	return cluster_run(&options);
}

static void read_options(int argc, char **argv, struct cluster_options *options)
{
	static const struct option names[] = {
	    {"mode", required_argument, NULL, 'm'},
	    {"listen", required_argument, NULL, 'l'},
	    {"patience", required_argument, NULL, 'p'},
	    {"ask-below", required_argument, NULL, 'a'},
	    {0},
	};
	uint64_t port;
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (option == 'm')
			options->mode = read_mode(optarg);
		else if (option == 'l')
			add_rule(options, optarg);
		else if (option == 'a' && units_parse_count(optarg, 0, UINT16_MAX + 1, &port) == 0)
			options->privileged = (unsigned)port;
		else if (option != 'p')
			refuse("it is started by supervisord; " ALLOWED);
		else if (units_parse_duration(optarg, &options->patience_ns) < 0)
			refuse("--patience '%s' is no duration", optarg);
	}
	if (optind < argc)
		refuse("'%s': it is started by supervisord; " ALLOWED, argv[optind]);
}

static enum cluster_mode read_mode(const char *text)
{
#define CLUSTER_NAME(name, text) [MODE_##name] = (text),
	static const char *const names[] = {CLUSTER_MODES(CLUSTER_NAME)};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(text, names[i]) == 0)
			return (enum cluster_mode)i;
	refuse("--mode '%s': round-robin, shared or reuse-port is allowed", text);
}

static void add_rule(struct cluster_options *options, const char *text)
{
	const char *problem;

	if (options->rule_count == LIMIT_CLUSTER_ALLOWED)
		refuse("--listen: at most %d are allowed", LIMIT_CLUSTER_ALLOWED);
	if (listen_rule_parse(text, &options->rules[options->rule_count], &problem) < 0)
		refuse("--listen '%s' %s", text, problem);
	options->rule_count++;
}

static unsigned read_privileged(void)
{
	FILE *file = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "re");
	char text[16] = "";
	unsigned long value = LISTEN_PRIVILEGED;

	if (file == NULL)
		return LISTEN_PRIVILEGED;
	if (fgets(text, sizeof(text), file) != NULL)
		value = strtoul(text, NULL, 10);
	(void)fclose(file);
	return value <= UINT16_MAX + 1U ? (unsigned)value : LISTEN_PRIVILEGED;
}

static void check_descriptors(void)
{
	struct stat st;

	if (fstat(FD_CLUSTER_LINK, &st) < 0 || !S_ISSOCK(st.st_mode) ||
	    fstat(FD_CLUSTER_STATE, &st) < 0 || !S_ISREG(st.st_mode))
		refuse("descriptors %d and %d are not what supervisord gives it", FD_CLUSTER_LINK,
		    FD_CLUSTER_STATE);
	for (int fd = FD_CLUSTER_LINK; fd <= FD_CLUSTER_STATE; fd++)
		if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
			refuse("fcntl: %s", strerror(errno));
}

static void refuse(const char *format, ...)
{
	va_list arguments;
	char text[OWNLOG_LINE / 2];

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	log_error("%s", text);
	exit(78); /* EX_CONFIG of sysexits(3) */
}
