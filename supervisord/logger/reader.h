/* SPDX-License-Identifier: ISC */
/*
 * reader.h: clients that read logs (`superctl logs`).
 *
 * A reader pulls from the files by itself: the streams only tell how much they wrote, so that a
 * client that reads slowly, or not at all, costs one bounded buffer and delays nobody.  Every
 * wake-up does one bounded piece of work (a block of searching, a message of data). The connection
 * is the logger's from the moment the engine passed it.
 */
#ifndef LOGGER_READER_H
#define LOGGER_READER_H

#include <bsd/sys/queue.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/archives.h"
#include "lib/protocol.h"
#include "supervisord/logger/readout.h"
#include "supervisord/logger/specs.h"

struct streams;

struct readers {
	LIST_HEAD(reader_list, reader) list;
	const struct specs *specs;     /* those in force */
	const struct streams *streams; /* for their rings */
	uint64_t life;                 /* of this logger: its rings are not those of another */
	int epoll_fd;
	unsigned count;
	unsigned dead;
};

/* Borrows both, which may change. */
void readers_init(struct readers *readers, int epoll_fd, const struct specs *specs,
    const struct streams *streams);

/* Serve a request; takes `conn` in any case and answers on it also when it is refused. */
void readers_add_consume(struct readers *readers, const struct specs *specs,
    const struct msg_read_log *request, int conn);

/* An event on the connection of one. */
void readers_run(
    struct readers *readers, const struct specs *specs, struct reader *reader, uint32_t events);

/* A stream has written to the log at `path`, which others may share. */
void readers_note_written(struct readers *readers, uint32_t row, uint16_t stream, const char *path);

/* The log at `path` has become this archive. */
void readers_note_rotated(struct readers *readers, const char *path, const struct archive *archive);

/* The log at `path` has been removed instead. */
void readers_note_removed(struct readers *readers, const char *path);

/* The log at `path` and its archives have been emptied. */
void readers_note_cleared(struct readers *readers, const char *path);

/* The stream is no more: who follows it gets what is there, and the last reply. */
void readers_note_released(struct readers *readers, uint32_t row, uint16_t stream);

/* The specs have changed: who follows a log that is no more gets its last reply, who follows one
 * that is elsewhere now goes on there. */
void readers_note_specs(struct readers *readers, const struct specs *specs);

/* Free those that have ended.  Only when no event of theirs can be pending. */
void readers_sweep(struct readers *readers);

/* Nothing more will be written: send the rest as far as the connections take it, and close all. */
void readers_finish(struct readers *readers, const struct specs *specs);

#endif
