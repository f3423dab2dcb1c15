/* SPDX-License-Identifier: ISC */
/* logger.c: see logger.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/channel.h"
#include "lib/clock.h"
#include "lib/images.h"
#include "lib/limits.h"
#include "lib/ownlog.h"
#include "supervisord/logger/finish.h"
#include "supervisord/logger/lastwords.h"
#include "supervisord/logger/logact.h"
#include "supervisord/logger/logger.h"

#define EVENTS          64
#define MESSAGES        64 /* of one channel in one wake-up */
#define FINISH_LIMIT_MS 5000
#define MISSED_RETRY_MS 1000
/* Less than that from a pipe, so soon after the last time, and it is better to wait for more. */
#define REST_BYTES   8192
#define REST_RATE_NS (500 * 1000)

static void serve_events(struct logger *logger, const struct epoll_event *events, int count);
static int get_timeout_ms(const struct logger *logger);
static void tell_drained(uint32_t slot, uint64_t key);
static void tell_news(
    void *context, enum log_news news, const struct stream *stream, int64_t value);
static void serve_guardian(struct logger *logger);
static void serve_peer(struct logger *logger);
static void handle_read_log(struct logger *logger, struct msg *msg);
static void handle_log_act(struct logger *logger, struct msg *msg);
static void handle_last_words(struct logger *logger, const struct msg *msg);
static void handle_held(struct logger *logger, struct msg *msg);
static void release_input(struct logger *logger, const struct msg_head *head);
static void handle_specs(struct logger *logger, int fd);
static void handle_finish(struct logger *logger);
static void rest(struct logger *logger, const struct epoll_event *events, int count);
static void retry_missed(struct logger *logger);
static void ask_for_another(struct logger *logger, const char *why);
static void lose_guardian(struct logger *logger);

int logger_init(struct logger *logger, int guardian_fd, int peer_fd, int ledger_fd)
{
	int error;

	*logger = (struct logger){
	    .guardian = {.kind = WATCH_GUARDIAN, .fd = guardian_fd},
	    .peer = {.kind = WATCH_PEER, .fd = peer_fd},
	};
	sandbox_enter(&logger->sandbox);
	error = ledger_map_readonly(ledger_fd, &logger->ledger);
	if (error < 0)
		return error;
	close(ledger_fd);
	logger->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (logger->epoll_fd < 0)
		return -errno;
	readers_init(&logger->readers, logger->epoll_fd, &logger->specs, &logger->streams);
	error = streams_init(&logger->streams, logger->epoll_fd, &logger->readers, logger->ledger);
	logger->streams.drained = tell_drained;
	logger->streams.world.tell_news = tell_news;
	logger->streams.world.news_context = logger;
	logger->streams.sandbox = &logger->sandbox;
	upkeep_init(&logger->upkeep, &logger->streams.world.files, logger->epoll_fd);
	/* The engine's requests wait in their socket until the specs say what they are about. */
	if (error == 0)
		error = watch_set(&logger->guardian, logger->epoll_fd, EPOLLIN);
	return error;
}

/* The guardian has kept the pipe until now, in case we were killed over it. */
static void tell_drained(uint32_t slot, uint64_t key)
{
	struct msg_head head = {.type = MSG_DRAINED, .slot = slot, .key = key};

	(void)channel_send_head(FD_GUARDIAN, &head, -1, MSG_DONTWAIT);
}

/* What does not fit, or is too much, stands in the daemon's own log alone. */
static void tell_news(void *context, enum log_news news, const struct stream *stream, int64_t value)
{
	struct logger *logger = context;
	int64_t second = clock_boot_ns() / NS_PER_S;
	const struct msg_head head = {.type = MSG_LOG_NEWS,
	    .slot = (uint32_t)news,
	    .key = stream != NULL ? held_key(HELD_LOG_READ, stream->row, stream->number) : 0,
	    .value = value};

	if (logger->news_second != second)
		logger->news = 0;
	logger->news_second = second;
	if (logger->news++ < LIMIT_LOG_NEWS_RATE)
		(void)channel_send_head(logger->peer.fd, &head, -1, MSG_DONTWAIT);
}

int logger_run(struct logger *logger)
{
	struct epoll_event events[EVENTS];

	if (logger->ledger != NULL)
		tell_news(logger, LOG_NEWS_STARTED, NULL,
		    atomic_load(&logger->ledger->header.logger_starts));
	while (!logger->is_done) {
		int count = epoll_wait(logger->epoll_fd, events, EVENTS, get_timeout_ms(logger));

		if (count < 0 && errno != EINTR) {
			log_error("epoll_wait: %s", strerror(errno));
			return EXIT_FAILURE;
		}
		serve_events(logger, events, count);
		streams_retry(&logger->streams);
		if (logger->streams.wants_new_logger && !logger->streams.is_alone)
			ask_for_another(
			    logger, "there is a new log directory: a new logger is to open it");
		retry_missed(logger);
		upkeep_run(&logger->upkeep);
		readers_sweep(&logger->readers);
		streams_sweep(&logger->streams);
		rest(logger, events, count);
		if (logger->streams.is_alone && !streams_is_active(&logger->streams))
			logger->is_done = true;
	}
	readers_finish(&logger->readers, &logger->specs);
	return logger->exit_code;
}

/* Without work that has a time there is none: -1. */
static int get_timeout_ms(const struct logger *logger)
{
	int one = streams_get_timeout_ms(&logger->streams);
	int other = upkeep_get_timeout_ms(&logger->upkeep);
	int timeout_ms = one < 0 || (other >= 0 && other < one) ? other : one;

	if (logger->missed > 0 && (timeout_ms < 0 || timeout_ms > MISSED_RETRY_MS))
		return MISSED_RETRY_MS;
	return timeout_ms;
}

/*
 * The messages come last: they may end streams whose event stands in the same batch.  A reader that
 * ends stays in memory until the sweep, a stream is ended by its own event only.
 */
static void serve_events(struct logger *logger, const struct epoll_event *events, int count)
{
	bool guardian = false, peer = false;

	for (int i = 0; i < count; i++) {
		struct watch *watch = events[i].data.ptr;

		switch (watch->kind) {
		case WATCH_GUARDIAN:
			guardian = true;
			break;
		case WATCH_PEER:
			peer = true;
			break;
		case WATCH_STREAM:
			streams_run(&logger->streams, (struct stream *)watch);
			break;
		case WATCH_SINK:
			streams_run_sink(&logger->streams, (struct sink *)watch);
			break;
		case WATCH_READER:
			readers_run(&logger->readers, &logger->specs, (struct reader *)watch,
			    events[i].events);
			break;
		case WATCH_CHILD:
			upkeep_note_child(&logger->upkeep);
			break;
		}
	}
	if (guardian)
		serve_guardian(logger);
	if (peer)
		serve_peer(logger);
}

static void serve_guardian(struct logger *logger)
{
	struct msg msg;

	for (int i = 0; i < MESSAGES && !logger->is_done; i++) {
		int got = channel_receive(logger->guardian.fd, &msg, MSG_DONTWAIT);

		if (got == -EAGAIN)
			return;
		if (got == -EBADMSG) {
			if (logger->missed++ == 0)
				log_error("too many open files: some programs wait for their logs");
			continue;
		}
		if (got <= 0) {
			lose_guardian(logger);
			return;
		}
		if (msg.head.type == MSG_HELD)
			handle_held(logger, &msg);
		else if (msg.head.type == MSG_RELEASED &&
			 held_key_kind(msg.head.key) == HELD_STDIN_WRITE)
			release_input(logger, &msg.head);
		else if (msg.head.type == MSG_RELEASED)
			streams_release(&logger->streams, msg.head.slot, msg.head.key);
		else if (msg.head.type == MSG_FINISH)
			handle_finish(logger);
		channel_drop_fds(&msg);
	}
}

static void serve_peer(struct logger *logger)
{
	struct msg msg;

	for (int i = 0; i < MESSAGES; i++) {
		int got = channel_receive(logger->peer.fd, &msg, MSG_DONTWAIT);

		if (got == -EAGAIN)
			return;
		if (got == -EBADMSG)
			continue;
		if (got <= 0) {
			watch_close(&logger->peer, logger->epoll_fd);
			return;
		}
		if (msg.head.type == MSG_READ_LOG)
			handle_read_log(logger, &msg);
		else if (logact_is_request(msg.head.type))
			handle_log_act(logger, &msg);
		else if (msg.head.type == MSG_LAST_WORDS)
			handle_last_words(logger, &msg);
		channel_drop_fds(&msg);
	}
}

static void handle_read_log(struct logger *logger, struct msg *msg)
{
	struct msg_read_log request;

	if (msg->fd_count != 1 || msg->length != sizeof(request))
		return;
	memcpy(&request, msg->payload, sizeof(request));
	readers_add_consume(&logger->readers, &logger->specs, &request, msg->fds[0]);
	msg->fd_count = 0;
}

static void handle_log_act(struct logger *logger, struct msg *msg)
{
	struct msg_log_act request;

	if (msg->fd_count != 1 || msg->length != sizeof(request))
		return;
	memcpy(&request, msg->payload, sizeof(request));
	logact_serve_consume(&logger->streams.world, &logger->specs, (enum msg_type)msg->head.type,
	    &request, msg->fds[0]);
	msg->fd_count = 0;
}

/* If the engine does not take the answer now, it asks again when somebody wants to know. */
static void handle_last_words(struct logger *logger, const struct msg *msg)
{
	struct msg_head head = {.type = MSG_LAST_WORDS_ARE};
	char text[LIMIT_LAST_WORDS_BYTES];
	struct msg_last_words request;
	size_t length;

	if (msg->length != sizeof(request))
		return;
	memcpy(&request, msg->payload, sizeof(request));
	head.key = request.row;
	head.value = (int64_t)request.run;
	length = lastwords_get(
	    &logger->streams, request.row, request.stream, request.run, text, sizeof(text));
	(void)channel_send(logger->peer.fd, &head, text, length, NULL, 0, MSG_DONTWAIT);
}

static void handle_held(struct logger *logger, struct msg *msg)
{
	uint64_t key = msg->head.key;
	enum held_kind kind = held_key_kind(key);
	uint32_t row = kind == HELD_OWN_READ ? LOGSPEC_ROW_OWN : held_key_row(key);
	uint16_t stream = kind == HELD_OWN_READ ? 0 : held_key_stream(key);
	int error;

	if (msg->fd_count != 1 || !held_is_for_logger(key))
		return;
	if (kind == HELD_LOG_SPECS) {
		handle_specs(logger, msg->fds[0]);
		return;
	}
	msg->fd_count = 0;
	if (kind == HELD_STDIN_WRITE)
		error = sinks_hold_input_consume(
		    &logger->streams.copier.sinks, msg->head.slot, held_key_row(key), msg->fds[0]);
	else
		error = streams_hold_consume(
		    &logger->streams, &logger->specs, msg->head.slot, row, stream, msg->fds[0]);
	if (error < 0)
		log_error("slot %u: cannot take its pipe: %s", msg->head.slot, strerror(-error));
}

static void release_input(struct logger *logger, const struct msg_head *head)
{
	(void)sinks_release_input(&logger->streams.copier.sinks, head->slot);
	tell_drained(head->slot, head->key);
}

static void handle_specs(struct logger *logger, int fd)
{
	struct specs specs;
	int error = specs_read(fd, &specs);

	if (error < 0) {
		log_error("cannot read the log specs: %s; the former ones stay", strerror(-error));
		return;
	}
	if (sandbox_is_outdated_for(&logger->sandbox, &specs.table)) {
		specs_done(&specs);
		ask_for_another(logger, "there is a new log directory: a new logger is to open it");
		return;
	}
	sandbox_close_paths(&logger->sandbox, &specs.table);
	streams_apply_specs(&logger->streams, &specs);
	upkeep_apply_specs(&logger->upkeep, &specs);
	specs_done(&logger->specs);
	logger->specs = specs;
	readers_note_specs(&logger->readers, &logger->specs);
	error = logger->peer.fd >= 0 ? watch_set(&logger->peer, logger->epoll_fd, EPOLLIN) : 0;
	if (error < 0)
		log_error("cannot hear the engine: %s", strerror(-error));
	images_let_go();
}

static void handle_finish(struct logger *logger)
{
	finish_streams(&logger->streams, FINISH_LIMIT_MS);
	logger->is_done = true;
}

/*
 * A program that writes line by line as fast as it can wakes us for each of them, and the two of us
 * do nothing but that.  So when one pipe is reported again at once and had little, let more come
 * together: that takes a third of the CPU, and the program writes faster.  Nothing else waits
 * longer than LIMIT_LOG_REST_US for it.
 */
static void rest(struct logger *logger, const struct epoll_event *events, int count)
{
	const struct timespec span = {.tv_nsec = LIMIT_LOG_REST_US * 1000L};
	size_t moved = logger->streams.moved;
	bool is_again = false;
	int64_t now_ns;

	logger->streams.moved = 0;
	for (int i = 0; i < count && !is_again; i++)
		is_again = events[i].data.ptr == logger->busiest;
	if (!is_again)
		logger->busiest = count > 0 ? events[0].data.ptr : NULL;
	if (!is_again || moved == 0 || moved >= (size_t)count * REST_BYTES)
		return;
	now_ns = clock_boot_ns();
	if (now_ns - logger->woken_ns < REST_RATE_NS) {
		(void)nanosleep(&span, NULL);
		now_ns = clock_boot_ns();
	}
	logger->woken_ns = now_ns;
}

/* The guardian has sent them and thinks no more of it: only a new logger gets all of them again. */
static void retry_missed(struct logger *logger)
{
	int fds[EVENTS];
	unsigned wanted = logger->missed < EVENTS / 2 ? 2 * logger->missed : EVENTS, count = 0;

	if (logger->missed == 0 || clock_boot_ns() < logger->retry_ns)
		return;
	logger->retry_ns = clock_boot_ns() + MISSED_RETRY_MS * NS_PER_MS;
	while (count < wanted && (fds[count] = fcntl(logger->epoll_fd, F_DUPFD_CLOEXEC, 0)) >= 0)
		count++;
	for (unsigned i = 0; i < count; i++)
		close(fds[i]);
	if (count == wanted)
		ask_for_another(
		    logger, "there is room for more open files: a new logger is to take them");
}

/* What is in the pipes is the next one's. */
static void ask_for_another(struct logger *logger, const char *why)
{
	log_notice("%s", why);
	logger->exit_code = EXIT_AGAIN;
	logger->is_done = true;
}

static void lose_guardian(struct logger *logger)
{
	watch_close(&logger->guardian, logger->epoll_fd);
	logger->streams.is_alone = true;
	logger->streams.sandbox = NULL; /* nobody is left to start another logger */
	logger->missed = 0;
	log_error("the guardian is gone; writing on for as long as a program does");
	streams_leave_own_pipe(&logger->streams);
}
