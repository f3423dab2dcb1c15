/* SPDX-License-Identifier: ISC */
/*
 * finish.h: the end of the logger: what is in the pipes now is written, as far as that is possible
 * in a given time, and what is not is told.
 */
#ifndef LOGGER_FINISH_H
#define LOGGER_FINISH_H

#include "supervisord/logger/streams.h"

/* Write what is in all pipes, for at most `limit_ms`, and say what could not be written. */
void finish_streams(struct streams *streams, int limit_ms);

#endif
