/* SPDX-License-Identifier: ISC */
/* event.c: see event.h. */
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/event.h"

static enum out_style style_of(const char *state);
static void print_exit(struct out *out, struct jsonr *json, int event, const char *text);

void event_print_words(struct out *out, struct jsonr *json, int event)
{
	const char *kind = jsonr_text(json, jsonr_member(json, event, "kind"), "");
	const char *from = jsonr_text(json, jsonr_member(json, event, "from"), "");
	const char *state = jsonr_text(json, jsonr_member(json, event, "state"), "");
	const char *text = jsonr_text(json, jsonr_member(json, event, "text"), "");

	if (strcmp(kind, "state") == 0 && strcmp(from, state) != 0) {
		out_text(out, from, 0);
		out_string(out, " -> ");
	}
	if (state[0] != '\0') {
		out_style(out, style_of(state));
		out_text(out, state, 0);
		out_style(out, OUT_PLAIN);
		out_string(out, text[0] != '\0' ? ": " : "");
	}
	event_print_text(out, text);
	if (strcmp(kind, "state") == 0)
		print_exit(out, json, event, text);
}

void event_print_text(struct out *out, const char *text)
{
	const char *at = strstr(text, "uid ");
	const struct passwd *user = NULL;
	char copy[512];
	char *end = NULL;
	size_t length = 0;

	if (at != NULL)
		user = getpwuid((uid_t)strtoul(at + 4, &end, 10));
	if (end != NULL)
		length = (size_t)(end - text);
	if (user == NULL || end == at + 4 || length >= sizeof(copy)) {
		out_text(out, text, 0);
		return;
	}
	memcpy(copy, text, length);
	copy[length] = '\0';
	out_text(out, copy, 0);
	out_string(out, " (");
	out_text(out, user->pw_name, 0);
	out_string(out, ")");
	out_text(out, end, 0);
}

static enum out_style style_of(const char *state)
{
	if (strcmp(state, "RUNNING") == 0)
		return OUT_GREEN;
	if (strcmp(state, "FATAL") == 0 || strcmp(state, "BACKOFF") == 0)
		return OUT_RED;
	return strcmp(state, "STOPPED") == 0 || strcmp(state, "EXITED") == 0 ? OUT_DIM : OUT_YELLOW;
}

/* A run that ended where that is not what the sentence is about. */
static void print_exit(struct out *out, struct jsonr *json, int event, const char *text)
{
	int end = jsonr_member(json, event, "exit");
	const char *name = jsonr_text(json, jsonr_member(json, end, "signal"), "");
	int64_t status = jsonr_int(json, jsonr_member(json, end, "status"), -1);

	if (strstr(text, "exited with") != NULL || strstr(text, "was killed") != NULL)
		return;
	if (status >= 0)
		out_format(out, " (its run ended with status %lld)", (long long)status);
	else if (name[0] != '\0')
		out_format(out, " (its run ended by signal %s)", name);
}
