/* SPDX-License-Identifier: ISC */
/* memory.h: the engine's memory; see memory.c. */
#ifndef SIM_MEMORY_H
#define SIM_MEMORY_H

#include <stdbool.h>

/* The engine is dead. */
void memory_drop_all(void);

/* Nothing is allocated: what an engine that ends by itself has to leave. */
bool memory_is_empty(void);

#endif
