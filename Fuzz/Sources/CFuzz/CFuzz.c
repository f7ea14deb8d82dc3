#define _GNU_SOURCE
#include "CFuzz.h"

#include <fcntl.h>
#include <sanitizer/asan_interface.h>
#include <unistd.h>

int fuzz_make_pipe(int ends[2], int reads_packets, int byte_count) {
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK | (reads_packets ? O_DIRECT : 0)) != 0) return -1;
  return fcntl(ends[1], F_SETPIPE_SZ, byte_count) < 0 ? -1 : 0;
}

void fuzz_forbid(const void *start, size_t byte_count) {
  __asan_poison_memory_region(start, byte_count);
}

void fuzz_allow(const void *start, size_t byte_count) {
  __asan_unpoison_memory_region(start, byte_count);
}
