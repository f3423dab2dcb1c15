/* SPDX-License-Identifier: ISC */
/*
 * hosts.c: see hosts.h.
 *
 * Each host has a process, whose output comes through pipes: whole lines, with the host before
 * them.  With --json each record gets a member "host": of a verb that can follow (logs) line by
 * line, of others when all is there, as one array.
 */
#define _GNU_SOURCE /* pipe2 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/jsonr.h"
#include "lib/jsonw.h"
#include "lib/limits.h"
#include "ctl/foreground.h"
#include "ctl/hosts.h"
#include "ctl/superctl.h"
#include "ctl/verbs.h"

struct stream {
	int fd; /* -1: it has ended */
	struct out text;
};

struct host {
	char *name;
	pid_t pid;
	struct stream out, err;
};

struct hosts {
	struct ctl *ctl;
	struct host *list;
	size_t count;
	size_t width; /* of the longest name */
	bool json;
	bool lines; /* json: an object on each line */
	bool any;   /* json: a record was printed */
	char *names;
};

static int read_names(struct hosts *hosts);
static int start(struct hosts *hosts, struct host *host, const struct foreground *foreground);
static void be_host(struct hosts *hosts, struct host *host, int out, int err)
    __attribute__((noreturn));
static void read_all(struct hosts *hosts);
static bool read_stream(struct hosts *hosts, struct host *host, struct stream *stream);
static void print_lines(
    struct hosts *hosts, struct host *host, struct stream *stream, bool is_last);
static void print_line(struct hosts *hosts, const struct host *host, const struct stream *stream,
    const char *line, size_t length);
static void print_record(
    struct hosts *hosts, const struct host *host, const char *record, size_t length);
static void print_json(struct hosts *hosts);
static enum exitcode wait_for(struct hosts *hosts);

enum exitcode hosts_run(struct ctl *ctl)
{
	struct hosts hosts = {.ctl = ctl,
	    .json = (ctl->options.set & OPTION_JSON) != 0,
	    .lines = (ctl->verb->options & OPTION_FOLLOW) != 0};
	struct foreground foreground;
	enum exitcode code;
	int r = read_names(&hosts);

	if (r == 0 && hosts.count == 0) {
		ctl_complain(ctl, "-H \"%s\": names no host", ctl->options.host);
		free(hosts.names);
		return EXITCODE_USAGE;
	}
	ctl->several_hosts = true;
	/* The hosts' own processes are told of Ctrl-C, and say what goes on. */
	foreground_begin(&foreground);
	for (size_t i = 0; i < hosts.count && r == 0; i++)
		r = start(&hosts, &hosts.list[i], &foreground);
	if (r == 0)
		read_all(&hosts);
	else
		ctl_complain(ctl, "cannot run it for all hosts: %s", strerror(-r));
	if (r == 0 && hosts.json && !hosts.lines)
		print_json(&hosts);
	code = wait_for(&hosts);
	foreground_end(&foreground);
	for (size_t i = 0; i < hosts.count; i++) {
		out_done(&hosts.list[i].out.text);
		out_done(&hosts.list[i].err.text);
	}
	free(hosts.list);
	free(hosts.names);
	return r == 0 ? code : EXITCODE_FAILED;
}

static int read_names(struct hosts *hosts)
{
	char *rest = NULL;

	hosts->names = strdup(hosts->ctl->options.host);
	if (hosts->names == NULL)
		return -ENOMEM;
	for (char *name = strtok_r(hosts->names, ",", &rest); name != NULL;
	     name = strtok_r(NULL, ",", &rest)) {
		struct host *list = realloc(hosts->list, (hosts->count + 1) * sizeof(*hosts->list));

		if (list == NULL)
			return -ENOMEM;
		hosts->list = list;
		list[hosts->count++] = (struct host){.name = name,
		    .out = {.fd = -1, .text.fd = -1},
		    .err = {.fd = -1, .text.fd = -1}};
		if (out_measure(name) > hosts->width)
			hosts->width = out_measure(name);
	}
	return 0;
}

static int start(struct hosts *hosts, struct host *host, const struct foreground *foreground)
{
	int out[2], err[2];

	if (pipe2(out, O_CLOEXEC) < 0)
		return -errno;
	if (pipe2(err, O_CLOEXEC) < 0) {
		int error = errno;

		close(out[0]);
		close(out[1]);
		return -error;
	}
	host->pid = foreground_fork(foreground);
	if (host->pid == 0)
		be_host(hosts, host, out[1], err[1]);
	close(out[1]);
	close(err[1]);
	host->out.fd = out[0];
	host->err.fd = err[0];
	return host->pid < 0 ? -errno : 0;
}

/* As if superctl had been called with -H for this one and its output piped. */
static void be_host(struct hosts *hosts, struct host *host, int out, int err)
{
	struct ctl *ctl = hosts->ctl;
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
	    dup2(err, STDERR_FILENO) < 0)
		_exit(EXITCODE_FAILED);
	out_init(&ctl->out, STDOUT_FILENO);
	out_init(&ctl->err, STDERR_FILENO);
	ctl->out.silent = (ctl->options.set & OPTION_QUIET) != 0;
	ctl->options.host = host->name;
	_exit((int)superctl_run_verb(ctl));
}

static void read_all(struct hosts *hosts)
{
	struct pollfd *polls = calloc(2 * hosts->count, sizeof(*polls));
	bool open = polls != NULL;

	while (open) {
		for (size_t i = 0; i < hosts->count; i++) {
			polls[2 * i] = (struct pollfd){hosts->list[i].out.fd, POLLIN, 0};
			polls[2 * i + 1] = (struct pollfd){hosts->list[i].err.fd, POLLIN, 0};
		}
		if (poll(polls, 2 * hosts->count, -1) < 0 && errno != EINTR)
			break;
		open = false;
		for (size_t i = 0; i < hosts->count; i++) {
			struct host *host = &hosts->list[i];

			if (polls[2 * i].revents != 0)
				(void)read_stream(hosts, host, &host->out);
			if (polls[2 * i + 1].revents != 0)
				(void)read_stream(hosts, host, &host->err);
			open = open || host->out.fd >= 0 || host->err.fd >= 0;
		}
		/* Who reads us has gone: so do they, when they write next. */
		if (out_flush(&hosts->ctl->out) < 0)
			break;
		out_flush(&hosts->ctl->err);
	}
	free(polls);
	for (size_t i = 0; i < hosts->count; i++) {
		if (hosts->list[i].out.fd >= 0)
			close(hosts->list[i].out.fd);
		if (hosts->list[i].err.fd >= 0)
			close(hosts->list[i].err.fd);
	}
}

/* False: it has ended. */
static bool read_stream(struct hosts *hosts, struct host *host, struct stream *stream)
{
	char buffer[16384];
	ssize_t got = read(stream->fd, buffer, sizeof(buffer));

	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	if (got > 0)
		out_bytes(&stream->text, buffer, (size_t)got);
	print_lines(hosts, host, stream, got <= 0);
	if (got > 0)
		return true;
	close(stream->fd);
	stream->fd = -1;
	return false;
}

/* The whole lines that are there; of an unfinished one only what is past the limit, or the last. */
static void print_lines(struct hosts *hosts, struct host *host, struct stream *stream, bool is_last)
{
	struct out *text = &stream->text;
	size_t at = 0;

	if (hosts->json && !hosts->lines && stream == &host->out)
		return; /* when all is there */
	while (at < text->length) {
		const char *line = text->data + at;
		const char *end = memchr(line, '\n', text->length - at);
		size_t length = end != NULL ? (size_t)(end - line) : text->length - at;

		if (end == NULL && !is_last && length < LIMIT_VARLINK_BYTES)
			break;
		print_line(hosts, host, stream, line, length);
		at += length + (end != NULL ? 1 : 0);
	}
	if (at > 0)
		memmove(text->data, text->data + at, text->length - at);
	text->length -= at;
}

static void print_line(struct hosts *hosts, const struct host *host, const struct stream *stream,
    const char *line, size_t length)
{
	struct out *out = stream == &host->out ? &hosts->ctl->out : &hosts->ctl->err;

	if (hosts->json && stream == &host->out) {
		print_record(hosts, host, line, length);
		out_string(out, "\n");
		return;
	}
	out_style(out, OUT_DIM);
	out_text(out, host->name, 0);
	out_string(out, ":");
	out_style(out, OUT_PLAIN);
	out_pad(out, hosts->width - out_measure(host->name) + 1);
	out_bytes(out, line, length);
	out_string(out, "\n");
}

/* An object, with the host as its first member. */
static void print_record(
    struct hosts *hosts, const struct host *host, const char *record, size_t length)
{
	struct out *out = &hosts->ctl->out;
	struct jsonw w;

	jsonw_init(&w, LIMIT_VARLINK_BYTES);
	jsonw_string(&w, host->name);
	if (length < 2 || record[0] != '{' || jsonw_error(&w) < 0) {
		out_bytes(out, record, length);
	} else {
		out_string(out, "{\"host\":");
		out_bytes(out, w.data, w.length);
		out_string(out, record[1] == '}' ? "" : ",");
		out_bytes(out, record + 1, length - 1);
	}
	jsonw_done(&w);
}

/* The records of all hosts in one array; what is no array is a record. */
static void print_json(struct hosts *hosts)
{
	struct out *out = &hosts->ctl->out;

	out_string(out, "[");
	for (size_t i = 0; i < hosts->count; i++) {
		struct host *host = &hosts->list[i];
		struct jsonr json;
		size_t length;
		const char *raw;

		jsonr_init(&json);
		if (host->out.text.length > 0 &&
		    jsonr_parse(&json, host->out.text.data, host->out.text.length,
			LIMIT_VARLINK_DEPTH) == 0) {
			bool array = jsonr_is(&json, JSONR_ROOT, JSONR_ARRAY);
			int at = array ? jsonr_first(&json, JSONR_ROOT) : JSONR_ROOT;

			for (; at >= 0; at = array ? jsonr_next(&json, JSONR_ROOT, at) : -1) {
				raw = jsonr_raw(&json, at, &length);
				out_string(out, hosts->any ? ",\n" : "\n");
				print_record(hosts, host, raw, length);
				hosts->any = true;
			}
		}
		jsonr_done(&json);
	}
	out_string(out, hosts->any ? "\n]\n" : "]\n");
}

static enum exitcode wait_for(struct hosts *hosts)
{
	int worst = EXITCODE_OK;

	for (size_t i = 0; i < hosts->count; i++) {
		int status = 0, code;

		if (hosts->list[i].pid <= 0)
			continue;
		while (waitpid(hosts->list[i].pid, &status, 0) < 0 && errno == EINTR)
			;
		code = WIFEXITED(status)            ? WEXITSTATUS(status)
		       : WTERMSIG(status) == SIGINT ? EXITCODE_INTERRUPTED
						    : EXITCODE_FAILED;
		if (code > worst)
			worst = code;
	}
	return (enum exitcode)worst;
}
