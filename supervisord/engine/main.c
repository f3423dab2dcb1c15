/* SPDX-License-Identifier: ISC */
/*
 * main.c of the engine: started by supervisord(8) with its channels on fixed descriptors, with -t
 * to check a configuration and nothing else, or by the engine itself as a helper (helper.h).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/limits.h"
#include "lib/ownlog.h"
#include "lib/protocol.h"
#include "supervisord/engine/config.h"
#include "supervisord/engine/doctor.h"
#include "supervisord/engine/driftlook.h"
#include "supervisord/engine/confshow.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/feed.h"

static int check(
    const char *const *paths, size_t count, const struct config_instead *instead, bool json);
static void print_all(const struct config_errors *errors, const char *before);
static void print_json(const struct config_errors *errors, const struct config_errors *notes);
static const char *default_config_path(void);
static void export_libexec_dir(void);
static bool is_started_by_guardian(void);

int main(int argc, char **argv)
{
	struct engine_options options = {.config_path = NULL};
	struct config_instead instead = {NULL, NULL};
	const char **paths;
	size_t count = 0;
	bool test = false, json = false;

#ifdef M_MMAP_THRESHOLD
	/* Large and short-lived (a configuration being read, a long reply): given back when done.
	 */
	(void)mallopt(M_MMAP_THRESHOLD, 32 * 1024);
#endif
	ownlog_init("engine", OWNLOG_NOTICE);
	if (argc > 1 && strcmp(argv[1], DOCTOR_OPTION) == 0)
		return doctor_main(argc - 2, argv + 2);
	if (argc > 1 && strcmp(argv[1], FEED_OPTION) == 0)
		return feed_main();
	if (argc > 2 && strcmp(argv[1], DRIFTLOOK_OPTION) == 0)
		return driftlook_main(argv[2]);
	paths = calloc((size_t)argc + 1, sizeof(*paths));
	if (paths == NULL)
		return 1;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-c") == 0 && i + 1 < argc)
			paths[count++] = argv[++i];
		else if (strcmp(argv[i], "-t") == 0)
			test = true;
		else if (strcmp(argv[i], "--json") == 0)
			json = true;
		else if (strcmp(argv[i], "--instead") == 0 && i + 2 < argc)
			instead = (struct config_instead){argv[i + 1], argv[i + 2]}, i += 2;
		else if (strcmp(argv[i], "--log-format") == 0 && i + 1 < argc)
			options.log_format = argv[++i];
		else if (strcmp(argv[i], "--safe") == 0)
			options.safe_mode = true;
	}
	if (count == 0)
		paths[count++] = default_config_path();
	options.config_path = paths[count - 1];
	export_libexec_dir();
	if (test) {
		int status = check(paths, count, &instead, json);

		free(paths);
		return status;
	}
	free(paths);
	if (!is_started_by_guardian()) {
		fputs("engine: this is a part of supervisord and is started by it; see "
		      "supervisord(8)\n",
		    stderr);
		return 2;
	}
	return engine_run(&options);
}

/* For `supervisord -t` and `superctl check FILE...`: errors go to the person, plainly, or to
 * superctl as records. */
static int check(
    const char *const *paths, size_t count, const struct config_instead *instead, bool json)
{
	struct config_errors errors = {0}, notes = {0};
	struct config *config;
	int error = config_load_files(paths, count, instead, &config, &errors);

	if (error == 0) {
		sockets_check(NULL, config, &errors, &notes);
		if (!json && errors.count == 0)
			printf("%s: ok, %zu program%s\n", paths[0], config->program_count,
			    config->program_count == 1 ? "" : "s");
		config_free(config);
	} else if (errors.count == 0) {
		fprintf(stderr, "%s: %s\n", paths[0], strerror(-error));
	}
	if (json) {
		print_json(&errors, &notes);
	} else {
		print_all(&errors, "");
		print_all(&notes, "note: ");
	}
	if (errors.count > 0)
		error = -EINVAL;
	config_errors_done(&errors);
	config_errors_done(&notes);
	return error == 0 ? 0 : 1;
}

static void print_json(const struct config_errors *errors, const struct config_errors *notes)
{
	struct jsonw w;

	jsonw_init(&w, LIMIT_CONTROL_QUEUE);
	jsonw_begin_object(&w);
	confshow_errors(&w, errors, notes);
	jsonw_end_object(&w);
	if (jsonw_error(&w) == 0)
		printf("%.*s\n", (int)w.length, w.data);
	jsonw_done(&w);
}

static void print_all(const struct config_errors *errors, const char *before)
{
	for (size_t i = 0; i < errors->count; i++) {
		char *text = config_error_text(&errors->list[i]);

		fprintf(stderr, "%s%s\n", before, text != NULL ? text : "out of memory");
		free(text);
	}
}

/* A user's own file if there is one; the system's otherwise. */
static const char *default_config_path(void)
{
	static char path[PATH_MAX];
	const char *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	int length = -1;

	if (geteuid() == 0)
		return PKGSYSCONFDIR "/supervisord.conf";
	if (base != NULL && base[0] == '/')
		length = snprintf(path, sizeof(path), "%s/supervisord/supervisord.conf", base);
	else if (home != NULL && home[0] == '/')
		length =
		    snprintf(path, sizeof(path), "%s/.config/supervisord/supervisord.conf", home);
	if (length > 0 && (size_t)length < sizeof(path) && access(path, F_OK) == 0)
		return path;
	return PKGSYSCONFDIR "/supervisord.conf";
}

/* The shipped stanzas name the bundled programs by ${SUPERVISORD_LIBEXEC}. */
static void export_libexec_dir(void)
{
	char path[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;

	if (length <= 0) {
		(void)setenv("SUPERVISORD_LIBEXEC", PKGLIBEXECDIR, 1);
		return;
	}
	path[length] = '\0';
	slash = strrchr(path, '/');
	*slash = '\0';
	(void)setenv("SUPERVISORD_LIBEXEC", path, 1);
}

static bool is_started_by_guardian(void)
{
	int type = 0;
	socklen_t size = sizeof(type);

	return getsockopt(FD_GUARDIAN, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
	       type == SOCK_SEQPACKET;
}
