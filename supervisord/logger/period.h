/* SPDX-License-Identifier: ISC */
/*
 * period.h: hours, days and weeks of local time, for log_rotate.
 *
 * Periods follow each other without gap or overlap also where the clock is changed for summer: one
 * ends where localtime(3) says that another hour, date or week begins.
 */
#ifndef LOGGER_PERIOD_H
#define LOGGER_PERIOD_H

#include <stdint.h>

#include "lib/logspec.h"

/*
 * The period around a time: start <= at_s < end, in seconds since 1970.  Weeks begin on Monday.
 * LOGSPEC_NEVER: the period of all times.
 */
void period_find(
    enum logspec_rotate rotate, int64_t at_s, int64_t *ret_start_s, int64_t *ret_end_s);

#endif
