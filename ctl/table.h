/* SPDX-License-Identifier: ISC */
/* table.h: what `superctl status` shows: a table of programs, or everything about one. */
#ifndef CTL_TABLE_H
#define CTL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctl/out.h"
#include "ctl/program.h"

/*
 * One line a program, columns aligned.  `now_ns`: the wall clock.  `detailed`: memory and CPU too.
 * `cut`: the reason ends at the terminal's width.  Returns 0 or -ENOMEM.
 */
int table_print(struct out *out, const struct program *programs, size_t count, int64_t now_ns,
    bool detailed, bool cut);

/* One line a field of one program. */
void table_print_one(struct out *out, const struct program *program, int64_t now_ns);

#endif
