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
#include "lib/jsonw.h"
#include "lib/protocol.h"
#include "supervisord/logger/place.h"
#include "supervisord/logger/specs.h"
#include "supervisord/logger/watch.h"

struct reader {
	struct watch watch; /* the connection */
	LIST_ENTRY(reader) link;
	struct msg_read_log request;
	struct archives archives; /* of the log that it reads */
	char *path;               /* … and its path */
	struct place place;
	struct line_search search;
	uint64_t todo;    /* not following: bytes to the end of the request */
	char *raw;        /* a block of the log */
	struct jsonw out; /* the message that is being sent … */
	size_t sent;      /* … and how far */
	bool searching;
	bool is_final; /* `out` is the last message */
	bool is_dead;  /* to be swept */
};

struct readers {
	LIST_HEAD(reader_list, reader) list;
	int epoll_fd;
	unsigned count;
	unsigned dead;
};

void readers_init(struct readers *readers, int epoll_fd);

/* Serve a request; takes `conn` in any case and answers on it also when it is refused. */
void readers_add_consume(struct readers *readers, const struct specs *specs,
    const struct msg_read_log *request, int conn);

/* An event on the connection of one. */
void readers_run(
    struct readers *readers, const struct specs *specs, struct reader *reader, uint32_t events);

/* A stream has written `bytes` more to the log at `path`, which others may share. */
void readers_note_written(
    struct readers *readers, uint32_t row, uint16_t stream, const char *path, uint64_t bytes);

/* The log at `path` has become this archive; a follower's file may be found by that even when it
 * has been compressed. */
void readers_note_rotated(struct readers *readers, const char *path, const struct archive *archive);

/* The specs have changed: who follows a log that is no more gets its last reply. */
void readers_note_specs(struct readers *readers);

/* Free those that have ended.  Only when no event of theirs can be pending. */
void readers_sweep(struct readers *readers);

/* Nothing more will be written: send the rest as far as the connections take it, and close all. */
void readers_finish(struct readers *readers, const struct specs *specs);

#endif
