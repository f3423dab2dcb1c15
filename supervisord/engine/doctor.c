/* SPDX-License-Identifier: ISC */
/* doctor.c: see doctor.h: the method, which starts the looker, and the looker's main(). */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "supervisord/engine/call.h"
#include "supervisord/engine/doctor.h"
#include "supervisord/engine/doctorhost.h"
#include "supervisord/engine/doctorprogram.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/instname.h"
#include "supervisord/engine/helper.h"
#include "supervisord/engine/selection.h"

/* Words before the names, and the NULL behind them. */
#define FIXED_WORDS 5
/* How long the client may take to read. */
#define CLIENT_S 30

static int start(struct call *call, const struct selection *selection, int client);
static int answer(const struct config *config, int argc, char **argv);
static int reply(struct findings *findings, bool continues);
static const struct program_config *find_program(const struct config *config, const char *name);

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

void doctor_call(struct call *call)
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
		    : error == -EUSERS ? "others are looking already"
				       : strerror(-error));
}

/* Start one that answers on `client` (borrowed).  0 or -errno. */
static int start(struct call *call, const struct selection *selection, int client)
{
	struct engine *engine = call->engine;
	int config = slots_find(&engine->slots, held_key(HELD_CONFIG, 0, 0));
	const int fds[] = {slots_get_fd(&engine->slots, config), client, FD_LEDGER};
	char **argv = calloc(FIXED_WORDS + selection->count, sizeof(*argv));
	size_t at = 0;
	int error;

	if (argv == NULL)
		return -ENOMEM;
	/* exec copies the words and writes to none of them. */
	argv[at++] = (char *)(uintptr_t) "doctor";
	argv[at++] = (char *)(uintptr_t)DOCTOR_OPTION;
	argv[at++] = (char *)(uintptr_t)(call->client->more ? "more" : "one");
	argv[at++] = engine->cgroups.reason;
	for (size_t i = 0; i < selection->count; i++)
		argv[at++] = (char *)(uintptr_t)program_name(selection->list[i]);
	error =
	    helper_start(&engine->doctors, engine->loop, argv, fds, sizeof(fds) / sizeof(fds[0]));
	free(argv);
	return error;
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

		(void)alarm(LIMIT_DOCTOR_S); /* of thousands each has its time */
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

/* The first instance may have another name than in the applied text. */
static const struct program_config *find_program(const struct config *config, const char *name)
{
	const struct program_config *program = config_find_program(config, name);
	char other[LIMIT_NAME];

	if (program == NULL && instname_other(name, other))
		program = config_find_program(config, other);
	return program;
}
