/* SPDX-License-Identifier: ISC */
/*
 * run.c: superctl run: a command as a program that is in no file.
 *
 * With -f it is made first and started when it is known where its log begins; so none of its output
 * is missed, and none of an earlier program of that name is shown.  When it has ended, the log is
 * read on until the daemon says that everything was written to it.
 */
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/assign.h"
#include "ctl/jsonout.h"
#include "ctl/logsource.h"
#include "ctl/result.h"
#include "ctl/verbs.h"
#include "ctl/waiter.h"
#include "lib/clock.h"
#include "lib/utf8.h"

#define GRACE_MS 2000

/* The log of one that has ended is waited for, at most so long: the disk may be full. */
#define LOG_WAIT_NS (5 * NS_PER_S)

/* The command line in its parts. */
struct line {
	const char *name; /* NULL: the daemon finds one */
	char **settings;
	size_t setting_count;
	char **words;
	size_t word_count;
};

struct started {
	char name[LIMIT_NAME];
	bool waits; /* for the end: what follows is said then */
	enum exitcode code;
	struct jsonout json;
};

static bool read_line(struct ctl *ctl, struct line *ret_line);
static bool is_text(struct ctl *ctl, const char *word, size_t number);
static enum exitcode run(struct ctl *ctl, const struct line *line, struct started *started);
static enum exitcode on_started(struct call *call, int parameters, void *context);
static enum exitcode wait_for_end(struct ctl *ctl, const char *name);
static enum exitcode follow(struct ctl *ctl, const char *name);
static void find_begin(struct logsource *source);
static enum exitcode start(struct ctl *ctl, const char *name);
static enum exitcode on_begun(struct call *call, int parameters, void *context);
static int read_until_end(
    struct logsource *source, struct waiter *waiter, struct waiter_end *ret_end);
static void show(struct logsource *source);
static int read_rest(struct logsource *source, struct waiter *waiter, struct waiter_end *end);
static int look_again(struct waiter *waiter, struct waiter_end *ret_end);
static enum exitcode tell_end(
    struct ctl *ctl, const char *name, int known, const struct waiter_end *end);

enum exitcode ctl_run(struct ctl *ctl)
{
	unsigned set = ctl->options.set;
	struct started started = {.waits = (set & (OPTION_WAIT | OPTION_FOLLOW)) != 0};
	enum exitcode code = EXITCODE_USAGE;
	struct line line;

	if (!read_line(ctl, &line))
		return code;
	if (started.waits && (set & OPTION_NO_WAIT)) {
		ctl_complain(ctl, "run: --no-wait does not go with --wait or --follow");
		return code;
	}
	code = run(ctl, &line, &started);
	if (code != EXITCODE_OK || !started.waits)
		return code;
	out_flush(&ctl->out);
	return set & OPTION_FOLLOW ? follow(ctl, started.name) : wait_for_end(ctl, started.name);
}

/* [NAME] [KEY=VALUE...] -- CMD [ARG...] */
static bool read_line(struct ctl *ctl, struct line *ret_line)
{
	const struct options *options = &ctl->options;
	struct line line = {.settings = options->names};
	size_t before = options->dashes;

	if (before == SIZE_MAX || before >= options->name_count) {
		ctl_complain(ctl, "run: a command behind -- is needed: superctl run -- CMD ARG...");
		return false;
	}
	line.setting_count = before;
	if (before > 0 && strchr(options->names[0], '=') == NULL) {
		line.name = options->names[0];
		line.settings++;
		line.setting_count--;
	}
	line.words = options->names + before;
	line.word_count = options->name_count - before;
	for (size_t i = 0; i < line.word_count; i++)
		if (!is_text(ctl, line.words[i], i + 1))
			return false;
	*ret_line = line;
	return true;
}

/* What a message cannot carry must not become something else. */
static bool is_text(struct ctl *ctl, const char *word, size_t number)
{
	size_t length = strlen(word), used;
	uint32_t character;

	for (size_t at = 0; at < length; at += used) {
		used = utf8_decode(word + at, length - at, &character);
		if (used > 0)
			continue;
		ctl_complain(ctl,
		    "run: word %zu of the command is not UTF-8, and cannot be handed over: put "
		    "the command into a script",
		    number);
		return false;
	}
	return true;
}

static enum exitcode run(struct ctl *ctl, const struct line *line, struct started *started)
{
	char directory[PATH_MAX];
	enum exitcode code = EXITCODE_USAGE;
	struct call call;

	call_init(&call, ctl, "RunCommand", !started->waits);
	if (line->name != NULL)
		jsonw_member_string(&call.request, "name", line->name);
	jsonw_key(&call.request, "command");
	jsonw_begin_array(&call.request);
	for (size_t i = 0; i < line->word_count; i++)
		jsonw_string(&call.request, line->words[i]);
	jsonw_end_array(&call.request);
	/* As a shell would run it; another machine may not have that directory. */
	if (ctl->options.host == NULL && getcwd(directory, sizeof(directory)) != NULL)
		jsonw_member_string(&call.request, "directory", directory);
	if (ctl->options.set & OPTION_FOLLOW)
		jsonw_member_bool(&call.request, "start", false);
	jsonw_key(&call.request, "settings");
	if (assign_write(ctl, line->settings, line->setting_count, &call.request)) {
		if (started->waits)
			jsonw_member_bool(&call.request, "wait", false);
		else
			call_add_wait(&call);
		if (!started->waits)
			call_set_wait(&call, "the program", GRACE_MS);
		call.on_reply = on_started;
		call.context = started;
		code = call_run(&call);
		jsonout_end(&started->json, &ctl->out);
	}
	call_done(&call);
	return exitcode_join(code, started->code);
}

static enum exitcode on_started(struct call *call, int parameters, void *context)
{
	struct started *started = context;
	struct jsonr *reply = &call->reply;
	struct out *out = &call->ctl->out;
	int results = jsonr_member(reply, parameters, "results");
	const char *name = jsonr_text(reply, jsonr_member(reply, parameters, "name"), "");

	if (name[0] != '\0' && strlen(name) < sizeof(started->name))
		memcpy(started->name, name, strlen(name) + 1);
	if (call->ctl->options.set & OPTION_JSON)
		jsonout_add(&started->json, out, reply, results);
	if (started->waits)
		return EXITCODE_OK;
	started->code = exitcode_join(started->code, result_print_all(call, results, false));
	result_print_waiting(call, jsonr_member(reply, parameters, "waiting"), "");
	return EXITCODE_OK;
}

static enum exitcode wait_for_end(struct ctl *ctl, const char *name)
{
	struct waiter_end end;
	struct waiter waiter;
	int known;

	waiter_init(&waiter, ctl, name);
	known = look_again(&waiter, &end);
	waiter_done(&waiter);
	return tell_end(ctl, name, known, &end);
}

static enum exitcode follow(struct ctl *ctl, const char *name)
{
	const struct log_query query = {.lines = 0};
	struct logsource source;
	struct waiter waiter;
	struct waiter_end end = {0};
	enum exitcode code;
	int known = -1;

	if (logsource_init(&source, ctl, &query, name, name) < 0) {
		ctl_complain(ctl, "out of memory");
		return EXITCODE_FAILED;
	}
	find_begin(&source);
	code = start(ctl, name);
	if (code == EXITCODE_OK) {
		waiter_init(&waiter, ctl, name);
		if (source.code == EXITCODE_OK) {
			logsource_begin(&source, true);
			known = read_until_end(&source, &waiter, &end);
			if (known > 0)
				known = read_rest(&source, &waiter, &end);
		} else {
			known = look_again(&waiter, &end); /* its output goes elsewhere */
		}
		waiter_done(&waiter);
		code = tell_end(ctl, name, known, &end);
	}
	logsource_done(&source);
	return code;
}

/* Where its log begins. */
static void find_begin(struct logsource *source)
{
	source->is_named = true;
	logsource_begin(source, false);
	while (logsource_wait(source) != LOGSOURCE_ENDED)
		(void)logsource_take_bytes(source, &(size_t){0});
}

static enum exitcode start(struct ctl *ctl, const char *name)
{
	enum exitcode code;
	struct call call;

	call_init(&call, ctl, "Start", false);
	jsonw_key(&call.request, "names");
	jsonw_begin_array(&call.request);
	jsonw_string(&call.request, name);
	jsonw_end_array(&call.request);
	jsonw_member_bool(&call.request, "wait", false);
	call.on_reply = on_begun;
	code = call_run(&call);
	call_done(&call);
	return code;
}

static enum exitcode on_begun(struct call *call, int parameters, void *context)
{
	(void)call;
	(void)parameters;
	(void)context;
	return EXITCODE_OK;
}

/* 1 or -1, see waiter_look(). */
static int read_until_end(
    struct logsource *source, struct waiter *waiter, struct waiter_end *ret_end)
{
	for (;;) {
		enum logsource_state state = logsource_read(source);
		struct pollfd polls[] = {{.events = POLLIN}, {.events = POLLIN}};
		bool apart;
		int known;

		if (state == LOGSOURCE_DATA) {
			show(source);
			continue;
		}
		known = waiter_look(waiter, ret_end);
		if (known != 0)
			return known;
		polls[0].fd = source->has_ended ? -1 : source->fd;
		polls[1].fd = waiter->fd;
		apart = waiter->fd < 0 || state == LOGSOURCE_OFF;
		(void)poll(polls, 2, apart ? WAITER_PAUSE_MS : -1);
	}
}

static void show(struct logsource *source)
{
	size_t length;
	const char *bytes = logsource_take_bytes(source, &length);

	out_bytes(&source->ctl->out, bytes, length);
	out_flush(&source->ctl->out);
}

/* What the logger still had to write when the program had ended. */
static int read_rest(struct logsource *source, struct waiter *waiter, struct waiter_end *end)
{
	int64_t give_up_ns = clock_boot_ns() + LOG_WAIT_NS;
	int known = look_again(waiter, end);

	while (known > 0 && end->unlogged > 0 && clock_boot_ns() < give_up_ns) {
		(void)poll(NULL, 0, WAITER_PAUSE_MS);
		known = look_again(waiter, end);
	}
	if (known > 0 && end->unlogged > 0)
		ctl_complain(source->ctl,
		    "%s: %lld bytes of its output are not in its log yet: superctl logs %s "
		    "shows it",
		    source->name, (long long)end->unlogged, source->name);
	/* From where the last reply ended. */
	logsource_end(source, EXITCODE_OK);
	logsource_begin(source, false);
	while (logsource_wait(source) != LOGSOURCE_ENDED)
		show(source);
	show(source);
	return known;
}

static int look_again(struct waiter *waiter, struct waiter_end *ret_end)
{
	int known;

	while ((known = waiter_look(waiter, ret_end)) == 0) {
		struct pollfd ready = {.fd = waiter->fd, .events = POLLIN};

		(void)poll(&ready, 1, waiter->fd < 0 ? WAITER_PAUSE_MS : -1);
	}
	return known;
}

/* Its own status is that of the command. */
static enum exitcode tell_end(
    struct ctl *ctl, const char *name, int known, const struct waiter_end *end)
{
	if (known < 0)
		return EXITCODE_FAILED;
	if (end->code != 0 && !ctl->err.silent)
		ctl_complain(ctl, "%s: %s", name, end->reason);
	return (enum exitcode)end->code;
}
