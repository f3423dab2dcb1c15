/* SPDX-License-Identifier: ISC */
/*
 * images.h: the executable and its libraries, as far as they are mapped memory.
 *
 * Of what only a start runs through, nothing is needed again: libconfuse, the parser, what the
 * dynamic linker has read of each library, 64 KB around each such place, as the kernel maps 16
 * pages at a time.  To have it mapped counts as memory of ours (Rss, Pss) and keeps the kernel from
 * taking the pages first when memory is short.
 */
#ifndef LIB_IMAGES_H
#define LIB_IMAGES_H

/*
 * Unmap all pages of code and constants.  They stay in the page cache, and what is used again is
 * back with a minor fault each 64 KB.  What was written to (relocations, data) is not touched; a
 * debugger's breakpoints are lost, however: they are copies of such pages.
 */
void images_let_go(void);

#endif
