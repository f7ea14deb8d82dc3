#ifndef SPILLWAY_CFUZZ_H
#define SPILLWAY_CFUZZ_H

#include <stddef.h>

// What Swift's module of the C library lacks.

/// Makes a non-blocking pipe with room for byte_count bytes; 0 or -1. If reads_packets isn't 0, a read ends
/// where a write did.
int fuzz_make_pipe(int ends[2], int reads_packets, int byte_count);

/// Makes memory forbidden for the address sanitizer.
void fuzz_forbid(const void *start, size_t byte_count);

/// Makes it allowed again.
void fuzz_allow(const void *start, size_t byte_count);

#endif
