/* SPDX-License-Identifier: ISC */
/*
 * readiness.c: see readiness.h.
 *
 * What is found out changes the program's state, and that ends all of this: program_note_ready()
 * and program_fail() are called from the loop only (a timer, a descriptor, the end of a task),
 * never from readiness_begin(), and nothing follows them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <bsd/string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/ownlog.h"
#include "lib/units.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/logready.h"
#include "supervisord/engine/probe.h"
#include "supervisord/engine/readiness.h"

/* The longest that one look may take. */
#define LOOK_TIMEOUT_NS (5 * NS_PER_S)
/* From the end of fd:N to the failure: a program that is just ending says more by its exit status.
 */
#define FD_GRACE_NS (500 * NS_PER_MS)

struct readiness {
	struct program *program;
	struct probe
	    probe; /* its check is that of this start, whatever the stanza says meanwhile */
	struct timer timer; /* the next look */
	ev_io io;           /* fd: our end of the pipe */
	int slot;           /* HELD_READY_READ, -1 */
	struct logready *log;
	bool begun;
	bool wants_main;          /* forking: the main process is not known yet */
	bool fd_ended;            /* fd: closed without a newline */
	bool empty;               /* no process of the run was seen by the last look */
	bool told;                /* what is odd about the pid file, or the log, has been said */
	char problem[PROBE_TEXT]; /* of the last look */
};

static int prepare_fd(struct program *program, int number, struct launch_fd *extra,
    size_t *extra_count, int *ret_close);
static int mark_file(struct program *program);
static struct readiness *need(struct program *program);
static void release_slot(struct readiness *readiness);
static void give_up(struct program *program);
static void begin(struct readiness *readiness);
static void look_after(struct readiness *readiness, int64_t after_ns);
static void on_timer(struct timer *timer);
static void find_main(struct readiness *readiness);
static int take_main(struct program *program, pid_t pid, uid_t voucher);
static int take_only_one(struct readiness *readiness);
static int take_from_file(struct readiness *readiness);
static bool is_empty(struct readiness *readiness);
static uid_t choose_voucher(const struct program *program, uid_t owner);
static int read_pid_file(struct program *program, pid_t *ret_pid, uid_t *ret_owner);
static FILELOOK_ACT(read_file);
static int parse_pid(struct filelook_answer *answer, pid_t *ret_pid);
static void look(struct readiness *readiness);
static void on_probe(struct probe *probe, enum probe_result result, const char *problem);
static void watch_fd(struct readiness *readiness);
static void on_fd(struct ev_loop *loop, ev_io *io, int events);
static void fail_fd(struct readiness *readiness);
static void look_at_log(struct readiness *readiness);
static void on_log(void *context, int result);
static void set_problem(struct readiness *readiness, const char *problem);

int readiness_prepare(
    struct program *program, struct launch_fd *extra, size_t *extra_count, int *ret_close)
{
	const struct check *check = &program->config->life->key_ready;

	readiness_end(program); /* of an earlier run */
	*ret_close = -1;
	switch (check->kind) {
	case CHECK_FD:
		return prepare_fd(program, check->fd, extra, extra_count, ret_close);
	case CHECK_LOG:
		return logready_mark(program);
	case CHECK_FILE:
		return mark_file(program);
	case CHECK_NONE:
	case CHECK_NOTIFY:
	case CHECK_IPC:
	case CHECK_LISTENING:
	case CHECK_TCP:
	case CHECK_UNIX:
	case CHECK_HTTP:
	case CHECK_EXEC:
		break;
	}
	return 0;
}

/* Nothing is to be looked at: the program says so. */
static bool is_told(const struct check *check)
{
	return check->kind == CHECK_NOTIFY || check->kind == CHECK_IPC ||
	       check->kind == CHECK_LISTENING;
}

void readiness_begin(struct program *program)
{
	const struct life_config *life = program->config->life;
	struct readiness *readiness = program->readiness;

	if (readiness != NULL && readiness->begun)
		return;
	if (life->key_type != TYPE_FORKING &&
	    (life->key_ready.kind == CHECK_NONE || is_told(&life->key_ready)))
		return;
	readiness = need(program);
	if (readiness != NULL)
		begin(readiness);
}

void readiness_end(struct program *program)
{
	struct readiness *readiness = program->readiness;
	enum reason reason;

	if (readiness == NULL)
		return;
	program->readiness = NULL;
	reason = (enum reason)program_state(program)->reason;
	if (readiness->problem[0] != '\0' &&
	    (reason == REASON_NOT_READY || reason == REASON_NO_MAIN))
		log_notice(
		    "%s: the last look found: %s", program_name(program), readiness->problem);
	timers_cancel(&program->engine->timers, &readiness->timer);
	probe_done(&readiness->probe);
	release_slot(readiness);
	logready_free(readiness->log);
	free(readiness);
}

void readiness_find_main(struct program *program)
{
	struct readiness *readiness = program->readiness;

	if (readiness != NULL && (readiness->begun || readiness->wants_main))
		return;
	readiness = need(program);
	if (readiness == NULL)
		return;
	readiness->wants_main = true;
	look_after(readiness, 0);
}

void readiness_note_task(struct program *program, const struct task_end *end)
{
	if (program->readiness != NULL)
		probe_note_task(&program->readiness->probe, end);
}

void readiness_adopt(struct program *program, int slot)
{
	struct readiness *readiness;

	if (program_state_of(program) == STATE_STARTING) {
		readiness = need(program);
		if (readiness != NULL && readiness->slot < 0) {
			readiness->slot = slot;
			return;
		}
	}
	slots_release(&program->engine->slots, slot);
}

static int prepare_fd(struct program *program, int number, struct launch_fd *extra,
    size_t *extra_count, int *ret_close)
{
	struct readiness *readiness = need(program);
	size_t at = *extra_count;
	int fds[2], slot;

	if (readiness == NULL)
		return -ENOMEM;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	/* Our end alone: the program shall find an ordinary pipe. */
	if (fcntl(fds[0], F_SETFL, O_RDONLY | O_NONBLOCK) < 0)
		slot = -errno;
	else
		slot = slots_hold(&program->engine->slots,
		    held_key(HELD_READY_READ, (uint32_t)program->run.row, 0), fds[0]);
	if (slot < 0) {
		close(fds[0]);
		close(fds[1]);
		return slot;
	}
	readiness->slot = slot;
	for (; at > 0 && extra[at - 1].number > number; at--)
		extra[at] = extra[at - 1];
	extra[at] = (struct launch_fd){.fd = fds[1], .number = number};
	(*extra_count)++;
	*ret_close = fds[1];
	return 0;
}

static int mark_file(struct program *program)
{
	struct engine *engine = program->engine;
	struct filelook_answer look = {.mark = 0};
	char *path;
	int error = probe_expand_path(program, program->config->life->key_ready.target, &path);

	if (error < 0)
		return error;
	error = filelook_now(&engine->filelooks, path, filelook_stat, 0, LIMIT_FILE_WAIT_MS, &look);
	free(path);
	/* Nobody could tell an old file from a new one: the start fails. */
	if (error == -ETIMEDOUT || error == -EAGAIN || error == -ENOMEM || error == -EMFILE)
		return error;
	atomic_store(&engine->ledger->table[program->run.row].ready_mark, look.mark);
	return 0;
}

/* Nobody would look for the moment when it is ready, and start_timeout may be 0: it fails, when the
 * present event is over. */
static void give_up(struct program *program)
{
	log_error(
	    "%s: out of memory: it cannot be watched for becoming ready", program_name(program));
	program_defer(program, PENDING_UNSEEN);
}

/* NULL when out of memory, which has its consequence then. */
static struct readiness *need(struct program *program)
{
	struct readiness *readiness = program->readiness;

	if (readiness != NULL)
		return readiness;
	readiness = calloc(1, sizeof(*readiness));
	if (readiness == NULL) {
		give_up(program);
		return NULL;
	}
	readiness->program = program;
	readiness->slot = -1;
	readiness->timer.fire = on_timer;
	ev_init(&readiness->io, on_fd);
	readiness->io.data = readiness;
	probe_init(&readiness->probe, program, TASK_READY, on_probe);
	program->readiness = readiness;
	return readiness;
}

static void release_slot(struct readiness *readiness)
{
	struct engine *engine = readiness->program->engine;

	ev_io_stop(engine->loop, &readiness->io);
	if (readiness->slot >= 0)
		slots_release(&engine->slots, readiness->slot);
	readiness->slot = -1;
}

/* The check of the stanza as it is now. */
static void begin(struct readiness *readiness)
{
	struct program *program = readiness->program;

	if (probe_set_check(&readiness->probe, &program->config->life->key_ready) < 0) {
		give_up(program);
		return;
	}
	readiness->begun = true;
	if (readiness->probe.check.kind == CHECK_FD && readiness->slot >= 0)
		watch_fd(readiness);
	else if (!is_told(&readiness->probe.check) ||
		 (program_state(program)->flags & LEDGER_FLAG_EARLY))
		look_after(readiness, 0);
}

static void look_after(struct readiness *readiness, int64_t after_ns)
{
	struct program *program = readiness->program;

	if (timers_arm(&program->engine->timers, &readiness->timer, clock_boot_ns() + after_ns) < 0)
		give_up(program);
}

static void on_timer(struct timer *timer)
{
	struct readiness *readiness =
	    (struct readiness *)(void *)((char *)timer - offsetof(struct readiness, timer));

	if (readiness->wants_main)
		find_main(readiness);
	else
		look(readiness);
}

static void find_main(struct readiness *readiness)
{
	struct program *program = readiness->program;
	const struct life_config *life = program->config->life;
	int error = 0;

	if (program_pid(program) == 0) /* MAINPID= may have named it */
		error = life->key_pid_file != NULL ? take_from_file(readiness)
						   : take_only_one(readiness);
	if (error == 0) {
		readiness->wants_main = false;
		begin(readiness);
	} else if (is_empty(readiness)) {
		program_fail(program, REASON_NO_MAIN, ESRCH);
	} else if (error == -ETIMEDOUT) {
		look_after(readiness, LIMIT_FILE_AGAIN_S * NS_PER_S);
	} else {
		look_after(readiness, life->key_ready_interval);
	}
}

static int take_main(struct program *program, pid_t pid, uid_t voucher)
{
	int error = program_set_main(program, pid, voucher);

	if (error == 0)
		log_notice("%s: its main process is %d", program_name(program), (int)pid);
	return error;
}

/* 0 or -errno. */
static int take_only_one(struct readiness *readiness)
{
	struct program *program = readiness->program;
	pid_t pid = run_find_main(&program->run);

	if (pid != 0)
		return take_main(program, pid, RUN_NO_VOUCHER);
	set_problem(readiness, "its command has not left exactly one process");
	return -ESRCH;
}

/* 0 or -errno. */
static int take_from_file(struct readiness *readiness)
{
	struct program *program = readiness->program;
	pid_t pid = 0;
	uid_t owner = RUN_NO_VOUCHER;
	int error = read_pid_file(program, &pid, &owner);

	if (error == -EINVAL)
		set_problem(readiness, "pid_file does not hold the number of a process");
	else if (error == -ETIMEDOUT)
		set_problem(readiness, "pid_file is on a file system that does not answer");
	else if (error < 0)
		set_problem(readiness, "pid_file cannot be read");
	if (error < 0)
		return error;
	error = take_main(program, pid, choose_voucher(program, owner));
	if (error == 0)
		return 0;
	set_problem(readiness, "pid_file names a process that is not of this run");
	if (error != -ECHILD && !readiness->told) { /* -ECHILD: its parent is about to end */
		log_notice("%s: pid_file names process %d, which is not of this run: not believed",
		    program_name(program), (int)pid);
		readiness->told = true;
	}
	return error;
}

/* Twice: a look at all processes is not one instant, and those that fork meanwhile may escape it.
 */
static bool is_empty(struct readiness *readiness)
{
	bool was_empty = readiness->empty;

	readiness->empty = !run_has_leftovers(&readiness->program->run);
	return was_empty && readiness->empty;
}

/*
 * Who writes the file can make it name any process, so it speaks for those of the program's own
 * user.  A program of root may give its rights away: then the file's owner counts.
 */
static uid_t choose_voucher(const struct program *program, uid_t owner)
{
	const struct program_config *config = program->config;
	const struct ids *ids;

	if (owner == RUN_NO_VOUCHER ||
	    idcache_get(&program->engine->ids, config->key_user, config->key_group, &ids) < 0)
		return RUN_NO_VOUCHER;
	return ids->uid != 0 ? ids->uid : owner;
}

static int read_pid_file(struct program *program, pid_t *ret_pid, uid_t *ret_owner)
{
	struct filelook_answer look;
	char *path;
	int error = probe_expand_path(program, program->config->life->key_pid_file, &path);

	if (error < 0)
		return error;
	error = filelook_now(
	    &program->engine->filelooks, path, read_file, 0, LIMIT_FILE_WAIT_MS, &look);
	free(path);
	if (error == 0)
		error = parse_pid(&look, ret_pid);
	if (error == 0)
		*ret_owner = look.owner;
	return error;
}

/* Its text and its owner: not of a link, which may lead to a file of somebody else's.  0 or -errno.
 */
static FILELOOK_ACT(read_file)
{
	struct stat st, link;
	ssize_t got = -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int error = -errno;

	(void)option;
	if (fd < 0)
		return error;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		got = read(fd, ret_answer->text, sizeof(ret_answer->text));
	close(fd);
	if (got <= 0 || (size_t)got == sizeof(ret_answer->text))
		return -EINVAL;
	ret_answer->length = (size_t)got;
	ret_answer->owner =
	    lstat(path, &link) == 0 && S_ISREG(link.st_mode) ? st.st_uid : RUN_NO_VOUCHER;
	return 0;
}

/* Digits, and maybe a newline; it may be being written right now.  0 or -EINVAL. */
static int parse_pid(struct filelook_answer *answer, pid_t *ret_pid)
{
	char *text = answer->text;
	uint64_t pid;

	if (text[answer->length - 1] == '\n')
		answer->length--;
	text[answer->length] = '\0';
	if (strlen(text) != answer->length || units_parse_count(text, 2, INT32_MAX, &pid) < 0)
		return -EINVAL;
	*ret_pid = (pid_t)pid;
	return 0;
}

static void look(struct readiness *readiness)
{
	struct program *program = readiness->program;
	int64_t timeout_ns = program->config->life->key_start_timeout;

	switch (readiness->probe.check.kind) {
	case CHECK_NONE:
		program_note_ready(program, CHECK_NONE);
		return;
	case CHECK_NOTIFY: /* it has said so before its command had ended */
	case CHECK_IPC:
	case CHECK_LISTENING:
		program_note_ready(program, readiness->probe.check.kind);
		return;
	case CHECK_FD:
		fail_fd(readiness);
		return;
	case CHECK_LOG:
		look_at_log(readiness);
		return;
	case CHECK_TCP:
	case CHECK_UNIX:
	case CHECK_HTTP:
	case CHECK_EXEC:
	case CHECK_FILE:
		break;
	}
	if (timeout_ns == 0 || timeout_ns > LOOK_TIMEOUT_NS)
		timeout_ns = LOOK_TIMEOUT_NS;
	probe_begin(&readiness->probe, timeout_ns);
}

static void on_probe(struct probe *probe, enum probe_result result, const char *problem)
{
	struct readiness *readiness = probe->program->readiness;

	if (result == PROBE_GOOD) {
		program_note_ready(probe->program, probe->check.kind);
		return;
	}
	set_problem(readiness, problem);
	look_after(readiness, probe->program->config->life->key_ready_interval);
}

static void watch_fd(struct readiness *readiness)
{
	struct engine *engine = readiness->program->engine;

	ev_io_set(&readiness->io, slots_get_fd(&engine->slots, readiness->slot), EV_READ);
	ev_io_start(engine->loop, &readiness->io);
}

static void on_fd(struct ev_loop *loop, ev_io *io, int events)
{
	struct readiness *readiness = io->data;
	char bytes[512];
	ssize_t got = read(io->fd, bytes, sizeof(bytes));

	(void)events;
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got > 0 && memchr(bytes, '\n', (size_t)got) != NULL) {
		program_note_ready(readiness->program, CHECK_FD);
		return;
	}
	if (got > 0)
		return;
	ev_io_stop(loop, io);
	readiness->fd_ended = true;
	look_after(readiness, FD_GRACE_NS);
}

/* It can never become ready any more. */
static void fail_fd(struct readiness *readiness)
{
	struct program *program = readiness->program;

	if (readiness->fd_ended)
		log_warning(
		    "%s: descriptor %d was closed without the newline that says that it is ready",
		    program_name(program), readiness->probe.check.fd);
	else
		log_warning(
		    "%s: ready = \"fd:%d\" is newer than this run, which has no such descriptor",
		    program_name(program), readiness->probe.check.fd);
	program_fail(program, REASON_NOT_READY, EPIPE);
}

static void look_at_log(struct readiness *readiness)
{
	struct program *program = readiness->program;
	int error = readiness->log == NULL ? logready_new(program, readiness->probe.check.target,
						 on_log, readiness, &readiness->log)
					   : 0;

	if (error == 0)
		error = logready_look(readiness->log);
	if (error < 0) /* -EAGAIN: too many looks hang */
		on_log(readiness, error == -EBUSY || error == -EAGAIN ? -ETIMEDOUT : error);
	else /* when the answer has not come by then, it is told that it does not */
		look_after(readiness, LIMIT_FILE_AGAIN_S * NS_PER_S);
}

/* As logwatch_look(). */
static void on_log(void *context, int result)
{
	struct readiness *readiness = context;
	struct program *program = readiness->program;

	if (result > 0) {
		program_note_ready(program, CHECK_LOG);
		return;
	}
	if (result < 0 && result != -EAGAIN && !readiness->told) {
		log_error("%s: cannot read its log: %s", program_name(program), strerror(-result));
		readiness->told = true;
	}
	set_problem(readiness, result == -ETIMEDOUT ? "the file system of its log does not answer"
						    : "no line of its log has matched");
	look_after(readiness, result == -EAGAIN      ? 0
			      : result == -ETIMEDOUT ? LIMIT_FILE_AGAIN_S * NS_PER_S
						     : program->config->life->key_ready_interval);
}

static void set_problem(struct readiness *readiness, const char *problem)
{
	(void)strlcpy(readiness->problem, problem, sizeof(readiness->problem));
}
