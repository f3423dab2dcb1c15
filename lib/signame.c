/* SPDX-License-Identifier: ISC */
/*
 * signame.c: see signame.h.  An own table, because sigabbrev_np(3) is glibc's alone and the numbers
 * differ between architectures.  Real-time signals are counted from SIGRTMIN, which is the C
 * library's.
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/signame.h"
#include "lib/units.h"

struct signal_name {
	const char *name;
	int number;
};

/* clang-format off */
#define ROW(name) {#name, SIG##name}
/* Of two names of one signal the first is printed. */
static const struct signal_name names[] = {
	ROW(HUP), ROW(INT), ROW(QUIT), ROW(ILL), ROW(TRAP), ROW(ABRT), ROW(BUS), ROW(FPE), ROW(KILL),
	ROW(USR1), ROW(SEGV), ROW(USR2), ROW(PIPE), ROW(ALRM), ROW(TERM), ROW(CHLD), ROW(CONT),
	ROW(STOP), ROW(TSTP), ROW(TTIN), ROW(TTOU), ROW(URG), ROW(XCPU), ROW(XFSZ), ROW(VTALRM),
	ROW(PROF), ROW(WINCH), ROW(IO), ROW(SYS),
#ifdef SIGSTKFLT
	ROW(STKFLT),
#endif
#ifdef SIGPWR
	ROW(PWR),
#endif
#ifdef SIGPOLL
	ROW(POLL),
#endif
	ROW(IOT),
};
/* clang-format on */

static int parse_realtime(const char *text);

int signame_parse(const char *text)
{
	uint64_t number;

	if (units_parse_count(text, 1, (uint64_t)SIGRTMAX, &number) == 0)
		return (int)number;
	if (strncasecmp(text, "SIG", 3) == 0)
		text += 3;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcasecmp(names[i].name, text) == 0)
			return names[i].number;
	return parse_realtime(text);
}

const char *signame_format(int number, char *buffer, size_t size)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].number == number) {
			snprintf(buffer, size, "%s", names[i].name);
			return buffer;
		}
	}
	if (number == SIGRTMIN)
		snprintf(buffer, size, "RTMIN");
	else if (number > SIGRTMIN && number <= SIGRTMAX)
		snprintf(buffer, size, "RTMIN+%d", number - SIGRTMIN);
	else
		snprintf(buffer, size, "SIG%d", number);
	return buffer;
}

/* RTMIN, RTMIN+N, RTMAX, RTMAX-N within the range. */
static int parse_realtime(const char *text)
{
	uint64_t distance = 0, room = (uint64_t)(SIGRTMAX - SIGRTMIN);
	int upwards;

	if (strncasecmp(text, "RTMIN", 5) == 0)
		upwards = 1;
	else if (strncasecmp(text, "RTMAX", 5) == 0)
		upwards = 0;
	else
		return -EINVAL;
	text += 5;
	if (*text != '\0') {
		if (*text != (upwards ? '+' : '-'))
			return -EINVAL;
		if (units_parse_count(text + 1, 0, room, &distance) < 0)
			return -EINVAL;
	}
	return upwards ? SIGRTMIN + (int)distance : SIGRTMAX - (int)distance;
}
