/* SPDX-License-Identifier: ISC */
/* tty.c: see tty.h, pty(7), ioctl_tty(2), termios(3). */
#define _GNU_SOURCE
#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "lib/channel.h"
#include "lib/ownlog.h"
#include "lib/ttylink.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/instname.h"
#include "supervisord/engine/lastwords.h"
#include "supervisord/engine/tty.h"

/* Of a terminal that nobody has attached to yet. */
#define ROWS    24
#define COLUMNS 80
/* Nobody but the program's user writes to it, as with mesg n. */
#define MODE 0600
/* Answers of the relay that are read in a row. */
#define BATCH 16

/* What is held of it, in the order of their kinds. */
enum part { PART_MASTER, PART_PIPE, PART_STATE, PART_LINK, PARTS };

struct tty {
	ev_io io; /* first; of the link */
	struct program *program;
	int slots[PARTS]; /* -1: none */
};

static struct tty *need(struct program *program);
static int need_part(struct tty *tty, enum part part);
static int open_pipe(int *ret_fd);
static int hold(struct tty *tty, enum part part, int fd);
static int get_fd(const struct tty *tty, enum part part);
static void set_sane(int fd);
static int open_link(struct tty *tty, int *ret_child);
static void close_link(struct tty *tty);
static void watch(struct tty *tty);
static void on_readable(struct ev_loop *loop, ev_io *io, int events);
static int tell(const struct program *program, const struct msg_head *head, const void *payload,
    size_t length, int fd);
static const struct program *find_relay(const struct program *program);

int tty_open_master(int *ret_fd)
{
	const struct winsize size = {.ws_row = ROWS, .ws_col = COLUMNS};
	int fd = open(TTY_MASTER, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK), unlocked = 0;

	if (fd < 0)
		return -errno;
	if (ioctl(fd, TIOCSPTLCK, &unlocked) < 0 || ioctl(fd, TIOCSWINSZ, &size) < 0) {
		int error = -errno;

		close(fd);
		return error;
	}
	*ret_fd = fd;
	return 0;
}

int tty_prepare(struct program *program, const struct ids *ids, struct launch_fd *extra,
    size_t *extra_count, int *ret_close, enum launch_step *ret_step)
{
	static const int numbers[] = {
	    [PART_MASTER] = FD_TTY_MASTER, [PART_PIPE] = FD_TTY_PIPE, [PART_STATE] = FD_TTY_STATE};
	struct open_streams streams = {0};
	struct program *owner;
	char name[LIMIT_NAME];
	struct tty *tty;
	int child = -1, error;

	*ret_close = -1;
	if (!instname_owner_of_tty(program->config->name, name))
		return 0;
	*ret_step = LAUNCH_TTY;
	owner = engine_find(program->engine, name);
	tty = owner != NULL ? need(owner) : NULL;
	if (tty == NULL)
		return owner == NULL ? -ENOENT : -ENOMEM;
	if (*extra_count + PARTS > LAUNCH_EXTRA)
		return -EMFILE;
	close_link(tty);
	error = open_link(tty, &child);
	if (error < 0)
		return error;
	*ret_close = child;
	extra[(*extra_count)++] = (struct launch_fd){.fd = child, .number = FD_TTY_LINK};
	for (enum part part = PART_MASTER; part <= PART_STATE; part++) {
		error = need_part(tty, part);
		if (error < 0)
			return error;
		extra[(*extra_count)++] =
		    (struct launch_fd){.fd = get_fd(tty, part), .number = numbers[part]};
	}
	error = streams_open_output(owner, ids, &streams, ret_step);
	if (error == 0)
		tty_set_output(owner, streams.fds[1]);
	streams_close(&streams);
	return error;
}

int tty_open(struct program *program, const struct ids *ids, int *ret_fd)
{
	struct tty *tty = need(program);
	int fd, error = tty == NULL ? -ENOMEM : need_part(tty, PART_MASTER);

	if (error < 0)
		return error;
	fd = ioctl(get_fd(tty, PART_MASTER), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if ((ids->change && fchown(fd, ids->uid, (gid_t)-1) < 0) || fchmod(fd, MODE) < 0) {
		error = -errno;
		close(fd);
		return error;
	}
	set_sane(fd);
	*ret_fd = fd;
	return 0;
}

void tty_set_output(struct program *program, int fd)
{
	int error = tell(program, &(struct msg_head){.type = TTY_OUTPUT}, NULL, 0, fd);

	if (error < 0 && error != -ENOTCONN && error != -EPIPE)
		log_warning(
		    "%s: the relay of its terminal cannot be told where its output goes: %s",
		    program_name(program), strerror(-error));
}

void tty_tell(const struct program *program, const char *state, const char *reason)
{
	char text[LIMIT_TTY_NEWS];

	if (program->tty == NULL)
		return;
	/* A long reason may be cut: the log has it. */
	(void)snprintf(text, sizeof(text), "%s is %s%s%s", program_name(program), state,
	    reason[0] != '\0' ? ": " : "", reason);
	(void)tell(program, &(struct msg_head){.type = TTY_NEWS}, text, strlen(text), -1);
}

void tty_note_stanza(const struct program *program)
{
	if (program->tty != NULL && !program->config->life->key_tty)
		(void)tell(program, &(struct msg_head){.type = TTY_LAST}, NULL, 0, -1);
}

bool tty_drain(struct program *program, uint64_t run)
{
	return program->tty != NULL &&
	       tell(program, &(struct msg_head){.type = TTY_DRAIN, .key = run}, NULL, 0, -1) == 0;
}

int tty_attach(struct program *program, int client, bool may_type, int64_t from)
{
	const struct program *relay = find_relay(program);
	struct tty_client_wish wish = {.from = from, .may_type = may_type};
	int error;

	if (relay == NULL || program_pid(relay) == 0)
		return -ENOTCONN;
	(void)snprintf(
	    wish.state, sizeof(wish.state), "%s", step_state_name(program_state_of(program)));
	error = tell(program, &(struct msg_head){.type = TTY_CLIENT}, &wish, sizeof(wish), client);
	return error == -EPIPE ? -ENOTCONN : error;
}

bool tty_is_relaying(const struct program *program)
{
	const struct program *relay = program->tty != NULL ? find_relay(program) : NULL;

	return relay != NULL && relay->removed;
}

void tty_note_gone(struct engine *engine, const char *name)
{
	char owner[LIMIT_NAME];
	struct program *program =
	    instname_owner_of_tty(name, owner) ? engine_find(engine, owner) : NULL;

	if (program != NULL && program_is_over(program))
		program_defer(program, PENDING_FREE);
}

void tty_adopt(struct program *program, uint64_t key, int slot)
{
	struct tty *tty = need(program);
	enum part part = (enum part)(held_key_kind(key) - HELD_TTY_MASTER);

	if (tty == NULL || part >= PARTS || tty->slots[part] >= 0) {
		slots_release(&program->engine->slots, slot);
		return;
	}
	tty->slots[part] = slot;
	if (part != PART_LINK)
		return;
	watch(tty);
	tty_note_stanza(program); /* the engine before us may not have lived to tell */
}

void tty_release(struct program *program)
{
	struct tty *tty = program->tty;

	if (tty == NULL)
		return;
	close_link(tty);
	for (enum part part = PART_MASTER; part < PART_LINK; part++)
		slots_release(&program->engine->slots, tty->slots[part]);
	program->tty = NULL;
	free(tty);
}

static struct tty *need(struct program *program)
{
	struct tty *tty = program->tty;

	if (tty != NULL)
		return tty;
	tty = calloc(1, sizeof(*tty));
	if (tty == NULL)
		return NULL;
	tty->program = program;
	for (enum part part = PART_MASTER; part < PARTS; part++)
		tty->slots[part] = -1;
	ev_init(&tty->io, on_readable);
	program->tty = tty;
	return tty;
}

static int need_part(struct tty *tty, enum part part)
{
	int fd = -1, error = 0;

	if (tty->slots[part] >= 0)
		return 0;
	switch (part) {
	case PART_MASTER:
		error = tty_open_master(&fd);
		break;
	case PART_PIPE:
		error = open_pipe(&fd);
		break;
	case PART_STATE:
		fd = memfd_create("terminal", MFD_CLOEXEC);
		error = fd < 0 ? -errno : 0;
		break;
	case PART_LINK: /* is made by open_link() */
	case PARTS:
		return -EINVAL;
	}
	return error < 0 ? error : hold(tty, part, fd);
}

/* Both ends in one: it is a place to keep bytes, and has no other side. */
static int open_pipe(int *ret_fd)
{
	char path[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
	int ends[2], fd;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[0]);
	fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	*ret_fd = fd;
	fd = fd < 0 ? -errno : 0;
	close(ends[0]);
	close(ends[1]);
	return fd;
}

/* Takes the descriptor. */
static int hold(struct tty *tty, enum part part, int fd)
{
	struct program *program = tty->program;
	enum held_kind kind = (enum held_kind)(HELD_TTY_MASTER + part);
	int slot =
	    slots_hold(&program->engine->slots, held_key(kind, (uint32_t)program->run.row, 0), fd);

	if (slot < 0) {
		close(fd);
		return slot;
	}
	tty->slots[part] = slot;
	return 0;
}

static int get_fd(const struct tty *tty, enum part part)
{
	return slots_get_fd(&tty->program->engine->slots, tty->slots[part]);
}

/* As a login finds it, whatever the run before has done to it; and nothing that was typed for that
 * one is for this one. */
static void set_sane(int fd)
{
	static const cc_t keys[NCCS] = {
	    [VINTR] = 003,
	    [VQUIT] = 034,
	    [VERASE] = 0177,
	    [VKILL] = 025,
	    [VEOF] = 004,
	    [VSTART] = 021,
	    [VSTOP] = 023,
	    [VSUSP] = 032,
	    [VREPRINT] = 022,
	    [VDISCARD] = 017,
	    [VWERASE] = 027,
	    [VLNEXT] = 026,
	    [VMIN] = 1,
	};
	struct termios termios = {
	    .c_iflag = ICRNL | IXON | IUTF8,
	    .c_oflag = OPOST | ONLCR,
	    .c_cflag = CS8 | CREAD | HUPCL,
	    .c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
	};

	memcpy(termios.c_cc, keys, sizeof(keys));
	(void)cfsetispeed(&termios, B38400);
	(void)cfsetospeed(&termios, B38400);
	(void)tcsetattr(fd, TCSANOW, &termios);
	(void)tcflush(fd, TCIFLUSH);
}

static int open_link(struct tty *tty, int *ret_child)
{
	int fds[2], error = channel_pair(fds);

	if (error < 0)
		return error;
	error = hold(tty, PART_LINK, fds[0]);
	if (error < 0) {
		close(fds[1]);
		return error;
	}
	watch(tty);
	*ret_child = fds[1];
	return 0;
}

static void close_link(struct tty *tty)
{
	struct engine *engine = tty->program->engine;

	if (tty->slots[PART_LINK] < 0)
		return;
	ev_io_stop(engine->loop, &tty->io);
	slots_release(&engine->slots, tty->slots[PART_LINK]);
	tty->slots[PART_LINK] = -1;
}

static void watch(struct tty *tty)
{
	ev_io_set(&tty->io, get_fd(tty, PART_LINK), EV_READ);
	ev_io_start(tty->program->engine->loop, &tty->io);
}

static void on_readable(struct ev_loop *loop, ev_io *io, int events)
{
	struct tty *tty = (struct tty *)(void *)io;
	struct msg_head head;
	char payload[1];
	size_t length;
	int fd;

	(void)events;
	for (int i = 0; i < BATCH; i++) {
		int got = channel_receive_long(get_fd(tty, PART_LINK), &head, payload,
		    sizeof(payload), &length, &fd, MSG_DONTWAIT);

		if (got == -EAGAIN)
			break;
		if (got == 0 || (got < 0 && got != -EBADMSG)) {
			/* Its end tells, too; the next one gets a new link. */
			ev_io_stop(loop, io);
			break;
		}
		if (got != 1)
			continue;
		if (fd >= 0)
			close(fd);
		if (head.type == TTY_DRAINED)
			lastwords_note_end(tty->program, head.key);
	}
}

static int tell(const struct program *program, const struct msg_head *head, const void *payload,
    size_t length, int fd)
{
	const struct tty *tty = program->tty;
	int link = tty != NULL ? get_fd(tty, PART_LINK) : -1;

	return link < 0 ? -ENOTCONN
			: channel_send_long(link, head, payload, length, fd, MSG_DONTWAIT);
}

static const struct program *find_relay(const struct program *program)
{
	char name[LIMIT_NAME];

	instname_of_tty(program_name(program), name);
	return engine_find(program->engine, name);
}
