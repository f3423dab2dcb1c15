/* SPDX-License-Identifier: ISC */
/* config_errors.c: see config_errors.h. */
#include <string.h>

#include "ctl/config_errors.h"
#include "ctl/jsonout.h"

/* What superctl set and superctl run have said is in sources that are called that and a program. */
static const char *const typed[] = {"superctl set ", "superctl run "};

static void print_prefix(struct out *err, const char *file, int64_t line, const char *key);

size_t config_errors_print(struct call *call, int errors, const char *before)
{
	struct jsonr *reply = &call->reply;
	struct out *err = &call->ctl->err;
	size_t count = 0;

	out_flush(&call->ctl->out);
	for (int at = jsonr_first(reply, errors); at >= 0; at = jsonr_next(reply, errors, at)) {
		const size_t start = err->length;

		out_string(err, before);
		print_prefix(err, jsonr_text(reply, jsonr_member(reply, at, "file"), ""),
		    jsonr_int(reply, jsonr_member(reply, at, "line"), 0),
		    jsonr_text(reply, jsonr_member(reply, at, "key"), ""));
		out_text(err, jsonr_text(reply, jsonr_member(reply, at, "message"), "?"), 0);
		out_end_line(err, start, 2);
		count++;
	}
	out_flush(err);
	return count;
}

enum exitcode config_errors_report(struct call *call, int parameters)
{
	int errors = jsonr_member(&call->reply, parameters, "errors");
	struct out *out = &call->ctl->out;
	struct jsonout json = {0};

	if (call->ctl->options.set & OPTION_JSON) {
		jsonout_add(&json, out, &call->reply, errors);
		jsonout_end(&json, out);
		return json.any ? EXITCODE_FAILED : EXITCODE_OK;
	}
	(void)config_errors_print(call, jsonr_member(&call->reply, parameters, "notes"), "note: ");
	if (config_errors_print(call, errors, "") > 0)
		return EXITCODE_FAILED;
	out_string(out, "the configuration is correct\n");
	return EXITCODE_OK;
}

/* file:line: key: ; each only if it is known */
static void print_prefix(struct out *err, const char *file, int64_t line, const char *key)
{
	/* What somebody has typed has no lines. */
	for (size_t i = 0; i < sizeof(typed) / sizeof(typed[0]); i++) {
		if (strncmp(file, typed[i], strlen(typed[i])) != 0)
			continue;
		file += strlen(typed[i]);
		line = 0;
	}
	if (file[0] != '\0') {
		out_text(err, file, 0);
		if (line > 0)
			out_format(err, ":%lld", (long long)line);
		out_string(err, ": ");
	}
	if (key[0] != '\0') {
		out_text(err, key, 0);
		out_string(err, ": ");
	}
}
