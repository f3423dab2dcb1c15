/* SPDX-License-Identifier: ISC */
/*
 * notify.h: tell the service manager that started us (if one did) how far we are; see sd_notify(3).
 */
#ifndef GUARDIAN_NOTIFY_H
#define GUARDIAN_NOTIFY_H

/* Remember NOTIFY_SOCKET and take it out of the environment, so that no program answers for us. */
void notify_init(void);

/* Send "READY=1" and the like; does nothing when nobody asked, never waits. */
void notify_send(const char *state);

#endif
