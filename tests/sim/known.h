/* SPDX-License-Identifier: ISC */
/*
 * known.h: what the simulator has found and nobody has repaired yet.  One row
 * each: without its repair (sim --as-is) the shell does what the engine does
 * today and the schedules fail; with it, they go on and can find something
 * else.  The number is a seed that shows it; 0: so rare (one in millions) that
 * no test waits for it.  A row goes when the engine is repaired.
 */
#ifndef SIM_KNOWN_H
#define SIM_KNOWN_H

/* clang-format off */
#define KNOWN(X)
/* clang-format on */

#define KNOWN_NUMBER(name, seed, text) KNOWN_NUMBER_##name,
#define KNOWN_BIT(name, seed, text) KNOWN_##name = 1U << KNOWN_NUMBER_##name,
enum known_number { KNOWN(KNOWN_NUMBER) KNOWN_COUNT };
enum known { KNOWN(KNOWN_BIT) KNOWN_NONE = 0 };

#endif
