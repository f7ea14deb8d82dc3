// What no reader of a binary log can do without, as the least that one would take:
//
//   limits walk FILE    goes over the headers of all records, and looks at nothing else
//   limits copy FILE    copies all bytes, one mebibyte after the other to the same place
//
// Prints the number of records, or of bytes. Both map the file as a whole and touch it from its beginning to its end.
// The file is one of ours, with headers of two words; it is trusted.

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void fail(const char *what) {
  fprintf(stderr, "limits: ");
  perror(what);
  exit(1);
}

static size_t walk(const unsigned char *bytes, size_t count) {
  size_t records = 0;
  for (size_t offset = 4; offset + 8 <= count; records++) {
    // The lower half of the first word. Each load waits for the one before, so the loop does nothing else
    // meanwhile.
    uint16_t length;
    memcpy(&length, bytes + offset, sizeof length);
    offset += (length + 8 + 3) & ~3u;
  }
  return records;
}

static size_t copy(const unsigned char *bytes, size_t count) {
  size_t const step = 1 << 20;
  unsigned char *place = malloc(step);
  if (!place) fail("malloc");
  for (size_t offset = 0; offset < count; offset += step) {
    memcpy(place, bytes + offset, count - offset < step ? count - offset : step);
    // Keeps the compiler from removing the copy.
    __asm__ volatile("" : : "r"(place) : "memory");
  }
  free(place);
  return count;
}

int main(int argc, char **argv) {
  int const walks = argc == 3 && strcmp(argv[1], "walk") == 0;
  if (!walks && !(argc == 3 && strcmp(argv[1], "copy") == 0)) {
    fprintf(stderr, "usage: limits walk|copy FILE\n");
    return 2;
  }
  int const file = open(argv[2], O_RDONLY);
  struct stat status;
  if (file < 0 || fstat(file, &status) != 0) fail(argv[2]);
  size_t const count = (size_t)status.st_size;
  const unsigned char *bytes = mmap(NULL, count, PROT_READ, MAP_SHARED, file, 0);
  if (bytes == MAP_FAILED) fail(argv[2]);
  posix_fadvise(file, 0, 0, POSIX_FADV_SEQUENTIAL);
  printf("%zu\n", walks ? walk(bytes, count) : copy(bytes, count));
  return 0;
}
