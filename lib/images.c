/* SPDX-License-Identifier: ISC */
/* images.c: see images.h. */
#define _GNU_SOURCE
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/images.h"

static int let_go_of(struct dl_phdr_info *image, size_t size, void *context);
static bool has_text_relocations(const struct dl_phdr_info *image);

void images_let_go(void)
{
	uintptr_t page_bytes = (uintptr_t)sysconf(_SC_PAGESIZE);

	(void)dl_iterate_phdr(let_go_of, &page_bytes);
}

/* From the last part to the first one: that one has the headers which are being read here. */
static int let_go_of(struct dl_phdr_info *image, size_t size, void *context)
{
	uintptr_t page_bytes = *(const uintptr_t *)context;

	(void)size;
	if (has_text_relocations(image))
		return 0;
	for (int i = image->dlpi_phnum - 1; i >= 0; i--) {
		const ElfW(Phdr) *part = &image->dlpi_phdr[i];
		uintptr_t begin = (uintptr_t)(image->dlpi_addr + part->p_vaddr);
		uintptr_t before = begin % page_bytes;

		if (part->p_type == PT_LOAD && (part->p_flags & PF_W) == 0)
			(void)madvise((void *)(begin - before), (size_t)(part->p_memsz + before),
			    MADV_DONTNEED);
	}
	return 0;
}

/* The dynamic linker has written into pages that look like constants, and nobody else could. */
static bool has_text_relocations(const struct dl_phdr_info *image)
{
	for (int i = 0; i < image->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &image->dlpi_phdr[i];
		const ElfW(Dyn) *entry = (const void *)(image->dlpi_addr + part->p_vaddr);

		if (part->p_type != PT_DYNAMIC)
			continue;
		for (; entry->d_tag != DT_NULL; entry++)
			if (entry->d_tag == DT_TEXTREL ||
			    (entry->d_tag == DT_FLAGS && (entry->d_un.d_val & DF_TEXTREL) != 0))
				return true;
	}
	return false;
}
