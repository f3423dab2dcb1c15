/* SPDX-License-Identifier: ISC */
/* doctor.c: see doctor.h: the method, which starts the looker, and the looker's main(). */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "lib/ownlog.h"
#include "lib/vclone.h"
#include "supervisord/engine/call.h"
#include "supervisord/engine/doctor.h"
#include "supervisord/engine/doctorhost.h"
#include "supervisord/engine/doctorprogram.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/launchfd.h"
#include "supervisord/engine/selection.h"

/* Words before the names, and the NULL behind them. */
#define FIXED_WORDS 5
/* How long the client may take to read. */
#define CLIENT_S 30

/* What the child between clone and exec needs. */
struct looker {
	char **argv;
	struct launch_fd fds[4];
	sigset_t no_signals;
};

static int start(struct call *call, const struct selection *selection, int client);
static int launch(struct looker *looker);
static int child_main(void *argument);
static void on_end(struct ev_loop *loop, ev_io *watcher, int events);
static int answer(const struct config *config, int argc, char **argv);
static int reply(struct findings *findings, bool continues);
static const struct program_config *find_program(const struct config *config, const char *name);

void doctors_init(struct doctors *doctors)
{
	for (size_t i = 0; i < LIMIT_DOCTORS; i++)
		ev_io_init(&doctors->ends[i], on_end, -1, EV_READ);
}

void doctors_done(struct doctors *doctors, struct ev_loop *loop)
{
	for (size_t i = 0; i < LIMIT_DOCTORS; i++)
		if (doctors->ends[i].fd >= 0)
			on_end(loop, &doctors->ends[i], 0);
}

/* ---- in the engine --------------------------------------------------------------------------- */

struct handover {
	struct call *call;
	const struct selection *selection;
};

static int hand_over(void *context, int fd)
{
	const struct handover *handover = context;

	return start(handover->call, handover->selection, fd);
}

void doctors_call(struct call *call)
{
	static const char *const names[] = {"names", NULL};
	struct selection selection;
	struct handover handover = {call, &selection};
	int error;

	if (call->client->oneway)
		return;
	if (!call_allows(call, names) || !selection_read(call, false, &selection))
		return;
	error = call->client->input.end > call->client->input.start
		    ? -EBUSY
		    : control_hand_over(call->client, hand_over, &handover);
	selection_done(&selection);
	if (error < 0)
		call_error_text(call, CALL_INTERFACE ".Busy", "reason",
		    error == -EBUSY ? "this call takes the connection over: nothing may follow it"
		    : error == -EAGAIN ? "others are looking already"
				       : strerror(-error));
}

/* Start one that answers on `client` (borrowed).  0 or -errno; -EAGAIN: there are enough. */
static int start(struct call *call, const struct selection *selection, int client)
{
	struct engine *engine = call->engine;
	struct doctors *doctors = &engine->doctors;
	int config = slots_find(&engine->slots, held_key(HELD_CONFIG, 0, 0));
	struct looker looker;
	size_t place = 0, at = 0;
	int alive[2], error;

	while (place < LIMIT_DOCTORS && doctors->ends[place].fd >= 0)
		place++;
	if (place == LIMIT_DOCTORS)
		return -EAGAIN;
	looker.argv = calloc(FIXED_WORDS + selection->count, sizeof(*looker.argv));
	if (looker.argv == NULL)
		return -ENOMEM;
	if (pipe2(alive, O_CLOEXEC) < 0) {
		free(looker.argv);
		return -errno;
	}
	/* exec copies the words and writes to none of them. */
	looker.argv[at++] = (char *)(uintptr_t) "engine";
	looker.argv[at++] = (char *)(uintptr_t) "--doctor";
	looker.argv[at++] = (char *)(uintptr_t)(call->client->more ? "more" : "one");
	looker.argv[at++] = engine->cgroups.reason;
	for (size_t i = 0; i < selection->count; i++)
		looker.argv[at++] = (char *)(uintptr_t)program_name(selection->list[i]);
	looker.fds[0] = (struct launch_fd){slots_get_fd(&engine->slots, config), DOCTOR_FD_CONFIG};
	looker.fds[1] = (struct launch_fd){client, DOCTOR_FD_CLIENT};
	looker.fds[2] = (struct launch_fd){FD_LEDGER, DOCTOR_FD_LEDGER};
	looker.fds[3] = (struct launch_fd){alive[1], DOCTOR_FD_ALIVE};
	sigemptyset(&looker.no_signals);
	error = launch(&looker);
	close(alive[1]);
	free(looker.argv);
	if (error < 0) {
		close(alive[0]);
		return error;
	}
	ev_io_set(&doctors->ends[place], alive[0], EV_READ);
	ev_io_start(engine->loop, &doctors->ends[place]);
	return 0;
}

/* The guardian's child, as all are: it is reaped there, also when we are not there any more. */
static int launch(struct looker *looker)
{
	const int streams[3] = {STDIN_FILENO, STDERR_FILENO, STDERR_FILENO};
	const size_t count = sizeof(looker->fds) / sizeof(looker->fds[0]);
	int error = launch_fd_stage(streams, looker->fds, count);
	pid_t pid;

	if (error < 0)
		return error;
	pid = vclone(child_main, looker, CLONE_PARENT, NULL);
	launch_fd_unstage(count);
	return pid < 0 ? (int)pid : 0;
}

VCLONE_CHILD static int child_main(void *argument)
{
	const struct looker *looker = argument;
	const size_t count = sizeof(looker->fds) / sizeof(looker->fds[0]);

	if (vclone_keep_below(LAUNCH_FD_END(count)) == 0 &&
	    launch_fd_place(looker->fds, count) == 0 && setsid() >= 0 &&
	    sigprocmask(SIG_SETMASK, &looker->no_signals, NULL) == 0)
		execve("/proc/self/exe", looker->argv, environ);
	_exit(127);
}

/* Nothing is ever written to it: this is its end. */
static void on_end(struct ev_loop *loop, ev_io *watcher, int events)
{
	(void)events;
	ev_io_stop(loop, watcher);
	close(watcher->fd);
	ev_io_set(watcher, -1, EV_READ);
}

/* ---- in a process of its own ----------------------------------------------------------------- */

int doctor_main(int argc, char **argv)
{
	struct config_errors errors = {0};
	struct config *config;
	int code;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)alarm(LIMIT_DOCTOR_S);
	if (argc < 2 || config_load_applied(DOCTOR_FD_CONFIG, &config, &errors) < 0) {
		config_errors_done(&errors);
		return 1;
	}
	config_errors_done(&errors);
	code = answer(config, argc, argv);
	config_free(config);
	return code;
}

/* One reply a program where several are welcome, so that a person sees that it goes on. */
static int answer(const struct config *config, int argc, char **argv)
{
	const struct timeval patience = {.tv_sec = CLIENT_S};
	bool more = strcmp(argv[0], "more") == 0;
	const struct ledger *ledger;
	struct findings findings;
	int error = ledger_map_readonly(DOCTOR_FD_LEDGER, &ledger);

	if (error < 0)
		return 1;
	(void)setsockopt(DOCTOR_FD_CLIENT, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	findings_init(&findings, NULL);
	doctorhost_look(&findings, config, ledger, argv[1]);
	for (int i = 2; i < argc && error == 0; i++) {
		const struct program_config *program = find_program(config, argv[i]);

		if (more)
			error = reply(&findings, true);
		findings.name = argv[i];
		if (program != NULL)
			doctorprogram_look(&findings, config, program, ledger);
		else
			findings_add(&findings, FINDING_NOTE, "stanza",
			    "is gone from the configuration: it goes when it has stopped");
	}
	if (error == 0)
		error = reply(&findings, false);
	findings_done(&findings);
	return error == 0 ? 0 : 1;
}

/* Send what was found, and forget it. */
static int reply(struct findings *findings, bool continues)
{
	struct jsonw *found = &findings->w, w;
	int fd = DOCTOR_FD_CLIENT, error;

	jsonw_end_array(found);
	jsonw_init(&w, LIMIT_CONTROL_QUEUE);
	jsonw_begin_object(&w);
	jsonw_key(&w, "parameters");
	jsonw_begin_object(&w);
	jsonw_key(&w, "findings");
	jsonw_raw(&w, found->data, found->length);
	jsonw_end_object(&w);
	if (continues)
		jsonw_member_bool(&w, "continues", true);
	jsonw_end_object(&w);
	jsonw_raw(&w, "", 1);
	error = jsonw_error(&w) != 0 ? jsonw_error(&w) : jsonw_error(found);
	for (size_t sent = 0; error == 0 && sent < w.length;) {
		ssize_t length = send(fd, w.data + sent, w.length - sent, MSG_NOSIGNAL);

		if (length <= 0)
			error = length < 0 ? -errno : -EPIPE;
		else
			sent += (size_t)length;
	}
	jsonw_done(&w);
	jsonw_reset(found);
	jsonw_begin_array(found);
	return error;
}

/* By the name of an instance. */
static const struct program_config *find_program(const struct config *config, const char *name)
{
	const struct program_config *program = config_find_program(config, name);
	char stanza[LIMIT_NAME];
	size_t length = strcspn(name, "@");

	if (program != NULL || name[length] == '\0' || length >= sizeof(stanza))
		return program;
	memcpy(stanza, name, length);
	stanza[length] = '\0';
	return config_find_program(config, stanza);
}
