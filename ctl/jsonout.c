/* SPDX-License-Identifier: ISC */
/* jsonout.c: see jsonout.h. */
#include "ctl/jsonout.h"

void jsonout_add(struct jsonout *json, struct out *out, const struct jsonr *reply, int array)
{
	if (!json->begun)
		out_string(out, "[");
	json->begun = true;
	for (int at = jsonr_first(reply, array); at >= 0; at = jsonr_next(reply, array, at)) {
		size_t length = 0;
		const char *raw = jsonr_raw(reply, at, &length);

		out_string(out, json->any ? ",\n" : "\n");
		out_bytes(out, raw, length);
		json->any = true;
	}
}

void jsonout_end(struct jsonout *json, struct out *out)
{
	if (!json->begun)
		return;
	out_string(out, json->any ? "\n]\n" : "]\n");
	json->begun = false;
}
