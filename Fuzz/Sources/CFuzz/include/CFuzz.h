#ifndef SPILLWAY_CFUZZ_H
#define SPILLWAY_CFUZZ_H

#include <stddef.h>
#include <stdint.h>

// Functions that Swift's module of the C library lacks.

/// Makes a non-blocking pipe with room for byte_count bytes; returns 0 or -1. If reads_packets isn't 0, a
/// read ends where a write did.
int fuzz_make_pipe(int ends[2], int reads_packets, int byte_count);

/// libFuzzer's own mutation of bytes: returns the new size, at most byte_count_max.
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t byte_count, size_t byte_count_max);

/// Poisons memory for the address sanitizer.
void fuzz_forbid(const void *start, size_t byte_count);

/// Makes memory accessible again.
void fuzz_allow(const void *start, size_t byte_count);

#endif
