/* SPDX-License-Identifier: ISC */
/* upkeep.c: see upkeep.h. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/ownlog.h"
#include "supervisord/logger/compress.h"
#include "supervisord/logger/rotation.h"
#include "supervisord/logger/upkeep.h"

/* After a failure, which mostly is a full disk. */
#define PAUSE_NS (60 * NS_PER_S)
/* The wall clock may be set meanwhile. */
#define LONGEST_WAIT_MS (3600 * 1000)

static bool has_work(const struct logspec *spec);
static void add_file(struct upkeep *upkeep, const struct logspec *spec);
static void read_archives(struct upkeep *upkeep);
static void read_directory(struct upkeep *upkeep, const struct logfile *first, size_t length);
static void note_entry(struct upkeep *upkeep, const char *path);
static size_t directory_length(const char *path);
static void expire(struct upkeep *upkeep);
static void start_child(struct upkeep *upkeep);
static int watch_child(struct upkeep *upkeep);
static struct archive *find_plain(const struct logfile *file);

void upkeep_init(struct upkeep *upkeep, struct logfiles *files, int epoll_fd)
{
	*upkeep = (struct upkeep){.child = {.kind = WATCH_CHILD, .fd = -1},
	    .files = files,
	    .epoll_fd = epoll_fd,
	    .expiry_us = INT64_MAX};
	TAILQ_INIT(&upkeep->list);
}

void upkeep_apply_specs(struct upkeep *upkeep, const struct specs *specs)
{
	struct logfile *file, *next;

	TAILQ_FOREACH (file, &upkeep->list, of_upkeep)
		file->upkeep_spec = NULL;
	for (size_t i = 0; i < specs->table.count; i++)
		if (has_work(&specs->table.specs[i]))
			add_file(upkeep, &specs->table.specs[i]);
	TAILQ_FOREACH_SAFE(file, &upkeep->list, of_upkeep, next)
	{
		if (file->upkeep_spec != NULL)
			continue;
		TAILQ_REMOVE(&upkeep->list, file, of_upkeep);
		file->is_kept = false;
		if (upkeep->file == file)
			upkeep->file = NULL;
		logfiles_drop(upkeep->files, file);
	}
	read_archives(upkeep);
	upkeep->due = true;
}

void upkeep_note_child(struct upkeep *upkeep)
{
	struct logfile *file = upkeep->file;
	int status, error = EIO;

	if (waitpid(upkeep->pid, &status, WNOHANG) != upkeep->pid)
		return;
	watch_close(&upkeep->child, upkeep->epoll_fd);
	upkeep->file = NULL;
	upkeep->due = true;
	if (WIFEXITED(status))
		error = WEXITSTATUS(status);
	if (error == 0 && upkeep->fails)
		log_notice("archives are compressed again");
	upkeep->fails = error != 0;
	if (error == 0 && file != NULL) {
		size_t at = archives_find_after(&file->archives, upkeep->archive.time_us);

		/* Or it has been removed since. */
		if (at > 0 && file->archives.list[at - 1].time_us == upkeep->archive.time_us) {
			file->archives.list[at - 1].form = upkeep->archive.form;
			file->archives.list[at - 1].bytes = ARCHIVE_SIZE_UNKNOWN;
		}
		return;
	}
	if (error != 0)
		upkeep->pause_ns = clock_boot_ns() + PAUSE_NS;
	if (error != 0 && file != NULL)
		log_error("%s: cannot compress an archive of %s: %s; trying again in a minute",
		    file->upkeep_spec->name, file->path, strerror(error));
}

int upkeep_get_timeout_ms(const struct upkeep *upkeep)
{
	int64_t wait_ms = INT64_MAX, left;

	if (upkeep->expiry_us < INT64_MAX) {
		left = upkeep->expiry_us / 1000 - clock_wall_ns() / NS_PER_MS + 1;
		wait_ms = left < LONGEST_WAIT_MS ? left : LONGEST_WAIT_MS;
	}
	if (upkeep->pause_ns > 0) {
		left = (upkeep->pause_ns - clock_boot_ns()) / NS_PER_MS + 1;
		wait_ms = left < wait_ms ? left : wait_ms;
	}
	if (wait_ms == INT64_MAX)
		return -1;
	return wait_ms > 0 ? (int)wait_ms : 0;
}

void upkeep_run(struct upkeep *upkeep)
{
	if (upkeep->pause_ns > 0 && clock_boot_ns() >= upkeep->pause_ns) {
		upkeep->pause_ns = 0;
		upkeep->due = true;
	}
	if (upkeep->expiry_us < INT64_MAX && clock_wall_ns() / 1000 >= upkeep->expiry_us)
		upkeep->due = true;
	if (!upkeep->due && !upkeep->files->rotated)
		return;
	upkeep->due = upkeep->files->rotated = false;
	expire(upkeep);
	if (upkeep->child.fd < 0 && upkeep->pause_ns == 0)
		start_child(upkeep);
}

static bool has_work(const struct logspec *spec)
{
	return spec->max_age_s > 0 || spec->total_bytes > 0 || spec->compress != LOGSPEC_PLAIN;
}

static void add_file(struct upkeep *upkeep, const struct logspec *spec)
{
	struct logfile *file = logfiles_get(upkeep->files, spec->path);

	if (file == NULL) {
		log_error("%s: no memory to look after the archives of %s", spec->name, spec->path);
		return;
	}
	if (!file->is_kept)
		TAILQ_INSERT_TAIL(&upkeep->list, file, of_upkeep);
	file->is_kept = true;
	file->upkeep_spec = spec;
}

/* Of all files in one directory at once: there may be thousands of both. */
static void read_archives(struct upkeep *upkeep)
{
	struct logfile *file, *other;

	TAILQ_FOREACH (file, &upkeep->list, of_upkeep) {
		size_t length = directory_length(file->path);

		if (file->archives_are_read)
			continue;
		read_directory(upkeep, file, length);
		TAILQ_FOREACH (other, &upkeep->list, of_upkeep)
			if (directory_length(other->path) == length &&
			    memcmp(other->path, file->path, length) == 0)
				other->archives_are_read = true;
	}
}

static void read_directory(struct upkeep *upkeep, const struct logfile *first, size_t length)
{
	char path[ARCHIVE_PATH_SIZE];
	const struct dirent *entry;
	DIR *directory;

	if (length == 0 || length >= sizeof(path))
		return;
	memcpy(path, first->path, length);
	path[length] = '\0';
	directory = opendir(path);
	if (directory == NULL) {
		if (errno != ENOENT)
			log_error("%s: cannot look after the archives in %s: %s",
			    first->upkeep_spec->name, path, strerror(errno));
		return;
	}
	while ((entry = readdir(directory)) != NULL)
		if (snprintf(path + length, sizeof(path) - length, "%s", entry->d_name) <
		    (int)(sizeof(path) - length))
			note_entry(upkeep, path);
	closedir(directory);
}

/* Is it an archive of one of the files, or one that was left half-made? */
static void note_entry(struct upkeep *upkeep, const char *path)
{
	size_t length = strlen(path), stem;
	char log[ARCHIVE_PATH_SIZE];
	struct archive archive;
	struct logfile *file;
	bool is_half = length > strlen(ARCHIVE_HALF) &&
		       strcmp(path + length - strlen(ARCHIVE_HALF), ARCHIVE_HALF) == 0;

	memcpy(log, path, length + 1);
	if (is_half)
		log[length - strlen(ARCHIVE_HALF)] = '\0';
	if (!archive_parse_name(log, &stem, &archive))
		return;
	log[stem] = '\0';
	file = logfiles_find(upkeep->files, log);
	if (file == NULL || !file->is_kept || file->archives_are_read)
		return;
	if (!is_half)
		(void)archives_add(&file->archives, &archive);
	else if (upkeep->file != file || upkeep->archive.time_us != archive.time_us)
		(void)unlink(path);
}

static size_t directory_length(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? (size_t)(slash - path) + 1 : 0;
}

static void expire(struct upkeep *upkeep)
{
	int64_t now_us = clock_wall_ns() / 1000, next_us;
	struct logfile *file;

	upkeep->expiry_us = INT64_MAX;
	TAILQ_FOREACH (file, &upkeep->list, of_upkeep) {
		int error = logfile_read_archives(file);

		if (error == 0)
			error = rotation_trim(&file->archives, file->upkeep_spec, now_us);
		next_us = rotation_next_expiry_us(&file->archives, file->upkeep_spec);
		if (error < 0 && !file->trim_fails)
			log_error("%s: cannot remove old archives of %s: %s",
			    file->upkeep_spec->name, file->path, strerror(-error));
		file->trim_fails = error < 0;
		/* One that cannot be removed is tried again with the next rotation. */
		if (error == 0 && next_us < upkeep->expiry_us)
			upkeep->expiry_us = next_us;
	}
}

/* For the first file that has something to compress, the oldest first. */
static void start_child(struct upkeep *upkeep)
{
	struct logfile *file;
	int error;

	TAILQ_FOREACH (file, &upkeep->list, of_upkeep) {
		struct archive *archive = find_plain(file);

		if (archive == NULL)
			continue;
		error = compress_start(file->path, archive, file->upkeep_spec->compress,
		    &upkeep->pid, &upkeep->child.fd);
		if (error == 0) {
			upkeep->file = file;
			upkeep->archive = *archive;
			upkeep->archive.form = file->upkeep_spec->compress;
			/* The others first the next time. */
			TAILQ_REMOVE(&upkeep->list, file, of_upkeep);
			TAILQ_INSERT_TAIL(&upkeep->list, file, of_upkeep);
			error = watch_child(upkeep);
		}
		if (error == 0)
			return;
		if (!upkeep->fails)
			log_error("%s: cannot compress archives: %s; trying again in a minute",
			    file->upkeep_spec->name, strerror(-error));
		upkeep->fails = true;
		upkeep->pause_ns = clock_boot_ns() + PAUSE_NS;
		return;
	}
}

/* One that cannot be watched is ended: nobody would ask for its status. */
static int watch_child(struct upkeep *upkeep)
{
	int error = watch_set(&upkeep->child, upkeep->epoll_fd, EPOLLIN);

	if (error == 0)
		return 0;
	(void)kill(upkeep->pid, SIGKILL);
	(void)waitpid(upkeep->pid, NULL, 0);
	watch_close(&upkeep->child, upkeep->epoll_fd);
	return error;
}

static struct archive *find_plain(const struct logfile *file)
{
	if (file->upkeep_spec->compress == LOGSPEC_PLAIN)
		return NULL;
	for (size_t i = 0; i < file->archives.count; i++)
		if (file->archives.list[i].form == LOGSPEC_PLAIN)
			return &file->archives.list[i];
	return NULL;
}
