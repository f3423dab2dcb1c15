/* SPDX-License-Identifier: ISC */
/* align.c: see align.h. */
#include <stdatomic.h>
#include <string.h>

#include "lib/ownlog.h"
#include "supervisord/engine/align.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/instname.h"

void align_names(struct engine *engine, const struct config *config)
{
	struct ledger *ledger = engine->ledger;
	uint32_t high = atomic_load(&ledger->header.rows_high);
	char name[LIMIT_NAME];
	bool any = false;

	for (int row = 0; row < (int)high; row++) {
		if (!align_finds_other(engine, config, row, name))
			continue;
		log_notice("%s: is called %s from now on", ledger->table[row].name, name);
		ledger_rename_row(ledger, row, name);
		any = true;
	}
	if (any)
		engine_sort(engine);
}

/* Not while another row has that name: one that is still being removed. */
bool align_finds_other(
    const struct engine *engine, const struct config *config, int row, char ret_name[LIMIT_NAME])
{
	const struct ledger_row *entry = &engine->ledger->table[row];

	return entry->name[0] != '\0' && entry->owner.row == 0 &&
	       config_find_program(config, entry->name) == NULL &&
	       instname_other(entry->name, ret_name) &&
	       config_find_program(config, ret_name) != NULL &&
	       ledger_find_row(engine->ledger, ret_name) < 0;
}
