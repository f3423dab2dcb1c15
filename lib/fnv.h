/* SPDX-License-Identifier: ISC */
/* fnv.h: the 64-bit FNV-1a hash, to tell texts apart; nothing that an enemy may choose.  Pure. */
#ifndef LIB_FNV_H
#define LIB_FNV_H

#include <stddef.h>
#include <stdint.h>

#define FNV_START 0xcbf29ce484222325ULL
#define FNV_PRIME 0x100000001b3ULL

static inline uint64_t fnv_add_bytes(uint64_t hash, const void *bytes, size_t count)
{
	const unsigned char *at = (const unsigned char *)bytes;

	for (size_t i = 0; i < count; i++)
		hash = (hash ^ at[i]) * FNV_PRIME;
	return hash;
}

/* Its bytes from the lowest on, on whatever machine. */
static inline uint64_t fnv_add_number(uint64_t hash, uint64_t number)
{
	for (unsigned shift = 0; shift < 64; shift += 8)
		hash = (hash ^ (number >> shift & 0xff)) * FNV_PRIME;
	return hash;
}

#endif
