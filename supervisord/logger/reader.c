/* SPDX-License-Identifier: ISC */
/* reader.c: see reader.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/limits.h"
#include "supervisord/logger/reader.h"
#include "supervisord/logger/reply.h"

static bool has_place(const struct readers *readers, uid_t uid);
static bool is_master(uid_t uid);
static void refuse(int conn, const struct readers *readers);
static void wake(struct readers *readers, struct reader *reader);
static void end_reader(struct readers *readers, struct reader *reader);

void readers_init(
    struct readers *readers, int epoll_fd, const struct specs *specs, const struct streams *streams)
{
	*readers = (struct readers){.epoll_fd = epoll_fd,
	    .specs = specs,
	    .streams = streams,
	    .life = (uint64_t)clock_boot_ns()};
	LIST_INIT(&readers->list);
}

void readers_add_consume(struct readers *readers, const struct specs *specs,
    const struct msg_read_log *request, int conn)
{
	const struct logspec *spec = specs_find(specs, request->row, request->stream);
	struct ucred peer = {0};
	socklen_t size = sizeof(peer);
	struct reader *reader = NULL;

	/* The engine knows of it and we do not yet (or not any more): as if we had just been
	 * started, the client comes again. */
	if (spec == NULL) {
		close(conn);
		return;
	}
	if (getsockopt(conn, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
	    has_place(readers, peer.uid))
		reader = readout_new(request, conn);
	if (reader == NULL) {
		refuse(conn, readers);
		return;
	}
	reader->owner = readers;
	reader->uid = peer.uid;
	LIST_INSERT_HEAD(&readers->list, reader, link);
	readers->count++;
	/* Writable at once: that event starts the work. */
	if (readout_set_path(reader, spec->path) < 0 ||
	    watch_set(&reader->watch, readers->epoll_fd, EPOLLOUT) < 0)
		end_reader(readers, reader);
}

void readers_run(
    struct readers *readers, const struct specs *specs, struct reader *reader, uint32_t events)
{
	uint32_t wanted = reader->request.follow ? EPOLLRDHUP : 0;

	if (reader->is_dead)
		return;
	if (events & (EPOLLERR | EPOLLHUP | (reader->request.follow ? EPOLLRDHUP : 0))) {
		end_reader(readers, reader);
		return;
	}
	switch (readout_run(reader, specs)) {
	case READOUT_DONE:
		end_reader(readers, reader);
		return;
	case READOUT_IDLE:
		break;
	case READOUT_MORE:
		wanted |= EPOLLOUT;
		break;
	}
	if (watch_set(&reader->watch, readers->epoll_fd, wanted) < 0)
		end_reader(readers, reader);
}

void readers_note_written(struct readers *readers, uint32_t row, uint16_t stream, const char *path)
{
	struct reader *reader;

	LIST_FOREACH (reader, &readers->list, link) {
		bool is_own = reader->request.row == row && reader->request.stream == stream;

		if (reader->request.follow && !reader->is_dead &&
		    (is_own || (path[0] != '\0' && strcmp(reader->path, path) == 0)))
			wake(readers, reader);
	}
}

void readers_note_rotated(struct readers *readers, const char *path, const struct archive *archive)
{
	struct reader *reader;

	LIST_FOREACH (reader, &readers->list, link) {
		if (reader->is_dead || strcmp(reader->path, path) != 0)
			continue;
		place_note_rotated(&reader->place, archive);
		/* Without memory for it, it is found in the directory later. */
		(void)archives_add(&reader->archives, archive);
	}
}

void readers_note_removed(struct readers *readers, const char *path)
{
	struct reader *reader;

	LIST_FOREACH (reader, &readers->list, link)
		if (!reader->is_dead && strcmp(reader->path, path) == 0)
			place_note_removed(&reader->place);
}

void readers_note_cleared(struct readers *readers, const char *path)
{
	struct reader *reader;

	LIST_FOREACH (reader, &readers->list, link)
		if (!reader->is_dead && strcmp(reader->path, path) == 0)
			place_note_cleared(&reader->place);
}

void readers_note_released(struct readers *readers, uint32_t row, uint16_t stream)
{
	struct reader *reader;

	LIST_FOREACH (reader, &readers->list, link) {
		if (reader->is_dead || reader->request.row != row ||
		    reader->request.stream != stream)
			continue;
		if (reader->request.follow)
			readout_stop(reader);
		/* A ring goes with its stream. */
		while (reader->path[0] == '\0' &&
		       readout_run(reader, readers->specs) == READOUT_MORE &&
		       reader->sent == reader->out.length)
			continue;
		wake(readers, reader);
	}
}

void readers_note_specs(struct readers *readers, const struct specs *specs)
{
	struct reader *reader;

	LIST_FOREACH (reader, &readers->list, link) {
		const struct logspec *spec =
		    specs_find(specs, reader->request.row, reader->request.stream);
		struct stat st;

		if (reader->is_dead)
			continue;
		/* From file to memory or back: whoever follows has to ask anew. */
		if (spec != NULL && (spec->path[0] == '\0') != (reader->path[0] == '\0')) {
			end_reader(readers, reader);
			continue;
		}
		if (spec != NULL && strcmp(spec->path, reader->path) != 0) {
			place_note_moved(
			    &reader->place, stat(spec->path, &st) == 0 ? (uint64_t)st.st_size : 0);
			if (readout_set_path(reader, spec->path) < 0) {
				end_reader(readers, reader);
				continue;
			}
		}
		wake(readers, reader);
	}
}

void readers_sweep(struct readers *readers)
{
	struct reader *reader, *next;

	if (readers->dead == 0)
		return;
	LIST_FOREACH_SAFE(reader, &readers->list, link, next)
	{
		if (!reader->is_dead)
			continue;
		LIST_REMOVE(reader, link);
		readout_free(reader, readers->epoll_fd);
		readers->count--;
	}
	readers->dead = 0;
}

void readers_finish(struct readers *readers, const struct specs *specs)
{
	struct reader *reader;

	LIST_FOREACH (reader, &readers->list, link) {
		if (reader->is_dead)
			continue;
		if (reader->request.follow)
			readout_stop(reader);
		/* As far as it goes without waiting: a rest means that the connection is full. */
		while (readout_run(reader, specs) == READOUT_MORE &&
		       reader->sent == reader->out.length)
			continue;
		end_reader(readers, reader);
	}
	readers_sweep(readers);
}

/* As with connections to the engine (controlplace.h): a user has its share, and root a rest. */
static bool has_place(const struct readers *readers, uid_t uid)
{
	const struct reader *reader;
	unsigned others = 0, same = 0;

	if (readers->count >= LIMIT_LOG_READERS)
		return false;
	if (is_master(uid))
		return true;
	LIST_FOREACH (reader, &readers->list, link) {
		others += !is_master(reader->uid);
		same += reader->uid == uid;
	}
	return same < LIMIT_LOG_READERS_PER_USER &&
	       others < LIMIT_LOG_READERS - LIMIT_LOG_READERS_RESERVED;
}

static bool is_master(uid_t uid)
{
	return uid == 0 || uid == geteuid();
}

/* Say why not, in one message that always fits, and close. */
static void refuse(int conn, const struct readers *readers)
{
	struct jsonw w;
	char reason[64];

	jsonw_init(&w, LIMIT_VARLINK_BYTES);
	(void)snprintf(reason, sizeof(reason), "%u log readers are being served", readers->count);
	reply_write_busy(&w, reason);
	if (jsonw_error(&w) == 0)
		(void)send(conn, w.data, w.length, MSG_NOSIGNAL | MSG_DONTWAIT);
	jsonw_done(&w);
	close(conn);
}

static void wake(struct readers *readers, struct reader *reader)
{
	uint32_t wanted = EPOLLOUT | (reader->request.follow ? EPOLLRDHUP : 0);

	if (watch_set(&reader->watch, readers->epoll_fd, wanted) < 0)
		end_reader(readers, reader);
}

static void end_reader(struct readers *readers, struct reader *reader)
{
	if (reader->is_dead)
		return;
	reader->is_dead = true;
	readers->dead++;
	watch_remove(&reader->watch, readers->epoll_fd);
}
