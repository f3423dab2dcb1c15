/* SPDX-License-Identifier: ISC */
/* copy.c: see copy.h, tee(2), splice(2), pipe(7). */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/limits.h"
#include "supervisord/logger/copy.h"

/* Finished lines at once, see target.c; and how long an unfinished one waits for its end. */
#define OUT_BYTES (256 * 1024)
#define HOLD_NS   (2 * NS_PER_S)
/* The most a pipe holds by default, and so what the scratch pipe must be able to hold. */
#define PIPE_BYTES (1024 * 1024)

/* One call of copy_pump(). */
struct pass {
	struct copier *copier;
	struct stream *stream;
	struct copy *copy;
	struct delivery delivery;
	size_t moved;
	bool flush;
	bool force;  /* give an unfinished line in this round */
	bool is_all; /* the look saw all that is in the pipe */
	bool has_consumed;
	size_t consumed;
	int error; /* of a target; the last one */
};

static enum stream_outcome pump_raw(struct pass *pass, size_t budget);
static enum stream_outcome pump_lines(struct pass *pass, size_t budget);
static int look(struct pass *pass);
static ssize_t tee_in(struct copier *copier, int fd, bool *ret_is_all);
static void make_origin(struct pass *pass);
static void feed(struct pass *pass);
static size_t least_ahead(const struct pass *pass);
static int consume(struct pass *pass, size_t bytes, size_t *ret_used);
static bool make_progress(struct pass *pass);
static bool pipe_is_full(int fd);
static enum stream_outcome settle(struct pass *pass);
static void plan_look(struct copier *copier, struct copy *copy);
static bool is_still_held(struct copier *copier, struct stream *stream);

int copier_init(
    struct copier *copier, int epoll_fd, struct stream_world *world, const struct ledger *ledger)
{
	*copier = (struct copier){.ledger = ledger,
	    .world = world,
	    .start_ns = clock_boot_ns(),
	    .scratch = {-1, -1},
	    .null_fd = -1};
	TAILQ_INIT(&copier->held);
	copier->look_ns = INT64_MAX;
	copier->is_restarted = ledger != NULL && atomic_load(&ledger->header.logger_starts) > 1;
	rings_init(&copier->rings, LIMIT_LOG_MEMORY);
	jsonw_init(&copier->out, OUT_BYTES + form_bound(LIMIT_LOG_LINE));
	copier_set_limits(copier, LIMIT_LOG_MEMORY, LIMIT_LOG_LINE);
	if (gethostname(copier->host, sizeof(copier->host) - 1) < 0)
		copier->host[0] = '\0';
	copier->null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (copier->null_fd < 0 || pipe2(copier->scratch, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	/* As many pieces as any pipe has; with less, a look just sees less. */
	(void)fcntl(copier->scratch[1], F_SETPIPE_SZ, PIPE_BYTES);
	return sinks_init(&copier->sinks, epoll_fd, &copier->rings);
}

void copier_set_limits(struct copier *copier, size_t memory, size_t line_max)
{
	/* A byte more than the longest line tells that it is too long. */
	size_t in_size = line_max + 1 > PIPE_BYTES / 16 ? line_max + 1 : PIPE_BYTES / 16;

	if (in_size > copier->in_size) {
		free(copier->in);
		copier->in = NULL;
		copier->in_size = in_size;
		copier->out.limit = OUT_BYTES + form_bound(line_max);
	}
	rings_set_limit(&copier->rings, memory != 0 ? memory : LIMIT_LOG_MEMORY,
	    copier->in_size + copier->out.limit);
}

enum stream_outcome copy_pump(struct copier *copier, struct stream *stream, size_t budget,
    bool flush, size_t *ret_moved, int *ret_error)
{
	struct pass pass = {
	    .copier = copier, .stream = stream, .copy = stream->copy, .flush = flush};
	enum stream_outcome outcome;

	if (stream->copy->has_raw_file && stream->copy->count == 0)
		outcome = pump_raw(&pass, budget);
	else if (!flush && is_still_held(copier, stream))
		outcome = STREAM_DRY;
	else
		outcome = pump_lines(&pass, budget);
	*ret_moved = pass.moved;
	*ret_error = pass.error;
	return outcome;
}

/* A raw log alone: lines matter only when they are dropped. */
static enum stream_outcome pump_raw(struct pass *pass, size_t budget)
{
	struct raw *raw = &pass->copy->raw;
	enum stream_outcome outcome = STREAM_BROKEN;
	size_t moved = 0, told = 0;

	if (!raw->is_skipping)
		outcome = raw_pump(raw, pass->stream, budget, &moved, &told);
	pass->moved += moved + told;
	return outcome == STREAM_BROKEN ? pump_lines(pass, budget) : outcome;
}

static enum stream_outcome pump_lines(struct pass *pass, size_t budget)
{
	size_t done = 0, used;
	int error;

	while (done < budget) {
		error = look(pass);
		if (error == -ENODATA)
			return STREAM_ENDED;
		if (error == -EAGAIN) {
			copy_forget_held(pass->copier, pass->copy);
			return pass->error < 0 ? STREAM_BROKEN : STREAM_DRY;
		}
		if (error == 0)
			feed(pass);
		used = error == 0 ? least_ahead(pass) : 0;
		if (used > 0)
			error = consume(pass, used, &used);
		if (error < 0) {
			pass->error = error;
			return STREAM_BROKEN;
		}
		done += used;
		pass->force = pass->force && used == 0;
		if (used == 0 && pass->copy->raw.waits)
			return STREAM_WAITS;
		if (used == 0 && !make_progress(pass))
			return settle(pass);
	}
	return STREAM_BUSY;
}

int64_t copier_next_due(const struct copier *copier)
{
	const struct copy *first = TAILQ_FIRST(&copier->held);
	int64_t due = first != NULL ? first->held_ns + HOLD_NS : INT64_MAX;

	return first != NULL && copier->look_ns < due ? copier->look_ns : due;
}

struct stream *copier_get_due(struct copier *copier, int64_t now_ns, bool *ret_flush)
{
	struct copy *copy = TAILQ_FIRST(&copier->held);
	int64_t next_ns = INT64_MAX;

	*ret_flush = copy != NULL && copy->held_ns + HOLD_NS <= now_ns;
	if (*ret_flush)
		return copy->stream;
	if (now_ns < copier->look_ns)
		return NULL;
	TAILQ_FOREACH (copy, &copier->held, held_link) {
		if (copy->look_ns <= now_ns) {
			/* Whatever it finds: not again in this round. */
			copy->look_delay_ns *= 2;
			copy->look_ns = now_ns + copy->look_delay_ns;
			return copy->stream;
		}
		if (copy->look_ns < next_ns)
			next_ns = copy->look_ns;
	}
	copier->look_ns = next_ns;
	return NULL;
}

/* ---- one look ------------------------------------------------------------------------------- */

/* What the pipe has into copier->in.  -EAGAIN: nothing; -ENODATA: nothing, and no writer. */
static int look(struct pass *pass)
{
	struct copier *copier = pass->copier;
	size_t told;
	ssize_t count;

	if (copier->in == NULL)
		copier->in = malloc(copier->in_size);
	if (copier->in == NULL)
		return -ENOMEM;
	count = tee_in(copier, pass->stream->watch.fd, &pass->is_all);
	if (count == 0)
		return -ENODATA;
	/* Something may still have to be told where nothing is left to be written. */
	if (count == -EAGAIN)
		count = 0;
	if (count < 0)
		return (int)count;
	pass->delivery.bytes = copier->in;
	pass->delivery.length = (size_t)count;
	pass->error = 0;
	make_origin(pass);
	if (count > 0)
		return 0;
	feed(pass);
	if (pass->copy->has_raw_file) {
		raw_tell(&pass->copy->raw, pass->stream, &told);
		pass->moved += told;
		/* No bytes wait for it: only what is to be said may. */
		if (pass->copy->raw.dropped > 0)
			pass->error = pass->copy->raw.error;
	}
	return -EAGAIN;
}

static ssize_t tee_in(struct copier *copier, int fd, bool *ret_is_all)
{
	ssize_t count, at = 0;
	int waiting = 0;

	do
		count = tee(fd, copier->scratch[1], copier->in_size, SPLICE_F_NONBLOCK);
	while (count < 0 && errno == EINTR);
	if (count < 0)
		return -errno;
	while (at < count) {
		ssize_t got = read(copier->scratch[0], copier->in + at, (size_t)(count - at));

		if (got > 0)
			at += got;
		else if (got == 0 || errno != EINTR)
			return -EIO;
	}
	*ret_is_all = ioctl(fd, FIONREAD, &waiting) < 0 || waiting <= count;
	return count;
}

static void make_origin(struct pass *pass)
{
	const struct copier *copier = pass->copier;
	struct stream *stream = pass->stream;
	const struct logspec *spec = stream->spec;
	struct delivery *delivery = &pass->delivery;

	delivery->spec = spec;
	delivery->world = copier->world;
	delivery->sinks = &pass->copier->sinks;
	delivery->form = &pass->copier->form;
	delivery->out = &pass->copier->out;
	delivery->host = copier->host;
	delivery->flush = pass->flush || pass->force;
	delivery->origin = (struct origin){
	    .name = spec->name,
	    .tag = spec->tag,
	    .facility = (int)(spec->facility != 0 ? spec->facility : LOGSPEC_FACILITY),
	    .stream = stream->number,
	    .wall_ns = clock_wall_ns(),
	};
	if (copier->ledger == NULL || stream->row >= LIMIT_ROWS)
		return;
	delivery->origin.run = atomic_load(&copier->ledger->table[stream->row].run);
	delivery->origin.pid = atomic_load(&copier->ledger->pids[stream->row]);
}

static void feed(struct pass *pass)
{
	struct copy *copy = pass->copy;
	struct delivery *delivery = &pass->delivery;

	for (size_t i = 0; i < copy->count && copy->may_repeat; i++)
		copy->targets[i].mark_due = true;
	copy->may_repeat = false;
	for (size_t i = 0; i < copy->count; i++) {
		struct target *target = &copy->targets[i];

		target_deliver(target, delivery);
		if (target->error == -EAGAIN)
			sink_add_waiting(target->sink, target);
		if (target->error < 0 && (pass->error == 0 || target->sink == NULL))
			pass->error = target->sink == NULL ? target->error : -EAGAIN;
		if (target->error == 0 && target_has_notes(target))
			pass->error = -EAGAIN;
	}
	pass->moved += delivery->file_bytes;
	delivery->file_bytes = 0;
}

/* What every target has. */
static size_t least_ahead(const struct pass *pass)
{
	const struct copy *copy = pass->copy;
	size_t least = pass->delivery.length;

	for (size_t i = 0; i < copy->count; i++)
		if (copy->targets[i].ahead < least)
			least = copy->targets[i].ahead;
	return least;
}

/* ---- out of the pipe ------------------------------------------------------------------------ */

/* The bytes have been given: let go of them.  *ret_used may be less when the file has to wait. */
static int consume(struct pass *pass, size_t bytes, size_t *ret_used)
{
	struct copy *copy = pass->copy;
	const struct origin *origin = &pass->delivery.origin;
	size_t used = bytes, moved = 0;
	int error;

	if (copy->has_raw_file)
		error =
		    raw_take(&copy->raw, pass->stream, pass->delivery.bytes, bytes, &used, &moved);
	else
		error = raw_discard(pass->stream->watch.fd, pass->copier->null_fd, bytes);
	pass->moved += moved;
	if (copy->has_raw_file && copy->raw.error < 0)
		pass->error = copy->raw.error;
	if (error < 0)
		return error;
	if (copy->ring != NULL) {
		ring_append(copy->ring, origin->wall_ns, origin->run, pass->delivery.bytes, used);
		pass->moved += used;
	}
	for (size_t i = 0; i < copy->count; i++)
		copy->targets[i].ahead -= used;
	*ret_used = used;
	pass->has_consumed = pass->has_consumed || used > 0;
	pass->consumed += used;
	return 0;
}

/* ---- unfinished lines ----------------------------------------------------------------------- */

/* Nothing could be taken.  Where that is because a line cannot be seen whole, it goes in parts. */
static bool make_progress(struct pass *pass)
{
	int fd = pass->stream->watch.fd;
	int size = fcntl(fd, F_GETPIPE_SZ), wanted = 2 * PIPE_BYTES / 16;

	if (pass->error < 0 || pass->delivery.flush)
		return false;
	/* A pipe may be full with half of its size in it: each write that does not fit into the
	 * last page begins a new one. */
	if (pass->is_all && (size < 0 || pass->delivery.length < (size_t)size / 2))
		return false;
	while (wanted < 2 * (int)stream_line_max(pass->stream->spec))
		wanted *= 2;
	if (pass->is_all && size < wanted && fcntl(fd, F_SETPIPE_SZ, wanted) >= 0)
		return false;
	/* The kernel allows no more (pipe-user-pages-soft): then as far as the pipe goes. */
	pass->force = !pass->is_all || pipe_is_full(fd);
	return pass->force;
}

/* Only the other end knows.  Without it, it is: a part too many, and not a program that waits. */
static bool pipe_is_full(int fd)
{
	struct pollfd out = {.events = POLLOUT};
	char path[32];
	int ready;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	out.fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	if (out.fd < 0)
		return true;
	ready = poll(&out, 1, 0);
	close(out.fd);
	return ready == 0;
}

static enum stream_outcome settle(struct pass *pass)
{
	struct copier *copier = pass->copier;
	struct copy *copy = pass->copy;

	if (pass->error < 0)
		return STREAM_BROKEN;
	if (pass->has_consumed)
		copy_forget_held(copier, copy);
	copy->held = pass->delivery.length;
	if (copy->held_ns == 0) {
		copy->held_ns = clock_boot_ns();
		TAILQ_INSERT_TAIL(&copier->held, copy, held_link);
		if (pass->consumed >= PIPE_BYTES / 32)
			(void)fcntl(pass->stream->watch.fd, F_SETPIPE_SZ, LIMIT_LOG_PIPE);
	}
	plan_look(copier, copy);
	return STREAM_DRY;
}

static void plan_look(struct copier *copier, struct copy *copy)
{
	copy->look_delay_ns = LIMIT_LOG_AGAIN_NS;
	copy->look_ns = clock_boot_ns() + LIMIT_LOG_AGAIN_NS;
	if (copy->look_ns < copier->look_ns)
		copier->look_ns = copy->look_ns;
}

void copy_forget_held(struct copier *copier, struct copy *copy)
{
	if (copy->held_ns != 0)
		TAILQ_REMOVE(&copier->held, copy, held_link);
	copy->held_ns = 0;
	copy->held = 0;
}

/* Has the line that is held still no end?  Looks at new bytes only, so that a long line that comes
 * byte by byte is not read again and again. */
static bool is_still_held(struct copier *copier, struct stream *stream)
{
	struct copy *copy = stream->copy;
	size_t total = copy->held;
	bool found = false;
	ssize_t count;
	int waiting;

	if (copy->held == 0 || ioctl(stream->watch.fd, FIONREAD, &waiting) < 0)
		return false;
	if ((size_t)waiting == copy->held)
		return true;
	if ((size_t)waiting < copy->held || (size_t)waiting > stream_line_max(stream->spec))
		return false;
	count = tee(stream->watch.fd, copier->scratch[1], copier->in_size, SPLICE_F_NONBLOCK);
	if (count < 0)
		return false;
	found = (size_t)count < copy->held ||
		raw_discard(copier->scratch[0], copier->null_fd, copy->held) < 0;
	while ((count = read(copier->scratch[0], copier->in, copier->in_size)) > 0) {
		found = found || memchr(copier->in, '\n', (size_t)count) != NULL;
		total += (size_t)count;
	}
	if (!found) {
		copy->held = total;
		plan_look(copier, copy);
	}
	return !found && total < (size_t)fcntl(stream->watch.fd, F_GETPIPE_SZ) / 2;
}
