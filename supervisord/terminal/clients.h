/* SPDX-License-Identifier: ISC */
/*
 * clients.h: whoever is attached.
 *
 * Nothing is queued for a client: it is at some byte of the ring, and when that is overwritten
 * before it has read so far it is told how much it has missed.  News of the program are the last
 * ones only.  What it types is taken from its connection when the terminal has taken what came
 * before.
 */
#ifndef TERMINAL_CLIENTS_H
#define TERMINAL_CLIENTS_H

#include <stddef.h>

#include "lib/ttylink.h"
#include "supervisord/terminal/terminal.h"

void clients_init(struct terminal *terminal);
void clients_done(struct terminal *terminal);

/* A connection whose call is answered here.  Takes it. */
void clients_add(struct terminal *terminal, int fd, const struct tty_client_wish *wish);

/* An event of its connection. */
void clients_note_event(struct terminal *terminal, uint32_t number, uint32_t events);

/* The terminal takes input again. */
void clients_type(struct terminal *terminal);

/* Somebody's input waits for the terminal. */
bool clients_wait(const struct terminal *terminal);

/* Send what there is to be sent. */
void clients_show(struct terminal *terminal);

/* Something has happened to the program, behind all output so far. */
void clients_tell(struct terminal *terminal, const char *text, size_t length);

#endif
