/* SPDX-License-Identifier: ISC */
/* watch.h: a terminal whose content is drawn again and again, and a key that ends it. */
#ifndef CTL_WATCH_H
#define CTL_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "ctl/ctl.h"

/*
 * Call `draw` now and every `interval_ns` until q or Ctrl-C.  What it writes to ctl->out, and
 * below that what it complains of, is put on the screen from the top on, cut at the bottom and at
 * the right; it returns not OK to end that way.  Where stdout
 * is no terminal what it writes is printed each time, until Ctrl-C.
 */
enum exitcode watch_run(
    struct ctl *ctl, int64_t interval_ns, enum exitcode (*draw)(struct ctl *ctl));

#endif
