#ifndef SPILLWAY_TEXT_H
#define SPILLWAY_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__aarch64__) && defined(__ARM_NEON)
#include <arm_neon.h>
#endif

// Text is examined and copied sixteen bytes at a time. The comparisons are the compiler's extension of C,
// which Swift's own vectors of bytes don't match: those compare lane by lane. Only one step differs between
// processors: how sixteen results become the bits of a number.

typedef unsigned char shim_bytes16 __attribute__((vector_size(16)));

/// The sixteen answers of a comparison, each 0 or 0xff, as bits, the first byte's the lowest.
static inline uint32_t shim_bits16(shim_bytes16 answers) {
#if defined(__SSE2__)
  typedef char signed_bytes16 __attribute__((vector_size(16)));
  return (uint32_t)__builtin_ia32_pmovmskb128((signed_bytes16)answers);
#elif defined(__aarch64__) && defined(__ARM_NEON)
  const shim_bytes16 places = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
  uint8x16_t bits = (uint8x16_t)(answers & places);
  return (uint32_t)vaddv_u8(vget_low_u8(bits)) | (uint32_t)vaddv_u8(vget_high_u8(bits)) << 8;
#else
  uint32_t bits = 0;
  for (int i = 0; i < 16; i++) bits |= (uint32_t)(answers[i] & 1) << i;
  return bits;
#endif
}

// Where a sanitizer checks every load, no load reaches beyond a text.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SHIM_LOADS_EXACTLY 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SHIM_LOADS_EXACTLY 1
#endif
#endif
#ifndef SHIM_LOADS_EXACTLY
#define SHIM_LOADS_EXACTLY 0
#endif

/// Loads a text of 1 to 15 bytes; the rest of the sixteen bytes is undefined.
///
/// The load includes bytes behind the text or, close to the end of a page, bytes before it. Pages are
/// readable as a whole or not at all, and none is smaller than 4,096 bytes: so only pages are accessed that
/// contain a byte of the text. That takes one comparison, where an exact load takes a branch for each length.
static inline shim_bytes16 shim_load_short_text(const void *source, size_t count) {
  const unsigned char *from = (const unsigned char *)source;
  shim_bytes16 bytes;
  unsigned char copy[2 * sizeof bytes];
  if (SHIM_LOADS_EXACTLY) {
    for (size_t i = 0; i < sizeof bytes; i++) copy[i] = i < count ? from[i] : 0;
    memcpy(&bytes, copy, sizeof bytes);
  } else if (__builtin_expect(((uintptr_t)from & 4095) <= 4096 - sizeof bytes, 1)) {
    memcpy(&bytes, from, sizeof bytes);
  } else {
    // The bytes before the text begin in the same page, as the text begins so close to its end.
    memcpy(&bytes, from + count - sizeof bytes, sizeof bytes);
    memcpy(copy, &bytes, sizeof bytes);
    memset(copy + sizeof bytes, 0, sizeof bytes);
    memcpy(&bytes, copy + sizeof bytes - count, sizeof bytes);
  }
  return bytes;
}

/// Which bytes stop a copy, as bits: the difference between the ways of copying a text.
typedef uint32_t shim_stops16(shim_bytes16 bytes);

/// Control characters, quotation marks, backslashes, rubouts and bytes beyond ASCII: they can't be written to
/// a line unchanged.
static inline uint32_t shim_specials16(shim_bytes16 bytes) {
  return shim_bits16((shim_bytes16)(bytes - 0x20 >= 0x5f) | (shim_bytes16)(bytes == '"') |
                     (shim_bytes16)(bytes == '\\'));
}

/// All but the printable characters of ASCII.
static inline uint32_t shim_unprintables16(shim_bytes16 bytes) {
  return shim_bits16((shim_bytes16)(bytes - 0x20 >= 0x5f));
}

/// The NUL that ends a C string.
static inline uint32_t shim_ends16(shim_bytes16 bytes) { return shim_bits16((shim_bytes16)(bytes == 0)); }

/// Copies a text up to the first byte that stops it, and returns the number of bytes before that.
///
/// The target has room for `count` bytes and fifteen more; the bytes behind those copied are undefined. Each
/// byte is read once, so that the bytes examined are those copied, even if another process changes them.
/// Always inlined, so that each way of copying is a loop of its own, without a call.
__attribute__((always_inline)) static inline size_t shim_copy_up_to(void *target, const void *source, size_t count,
                                                                    shim_stops16 *stops) {
  const unsigned char *from = (const unsigned char *)source;
  unsigned char *to = (unsigned char *)target;
  shim_bytes16 bytes;
  size_t at = 0;
  for (; count - at >= sizeof bytes; at += sizeof bytes) {
    memcpy(&bytes, from + at, sizeof bytes);
    memcpy(to + at, &bytes, sizeof bytes);
    uint32_t found = stops(bytes);
    if (found != 0) return at + (size_t)__builtin_ctz(found);
  }
  if (at == count) return count;
  bytes = shim_load_short_text(from + at, count - at);
  memcpy(to + at, &bytes, sizeof bytes);
  uint32_t found = stops(bytes) & (((uint32_t)1 << (count - at)) - 1);
  if (__builtin_expect(found != 0, 0)) return at + (size_t)__builtin_ctz(found);
  // Not computed from the bytes: so the address for the next text doesn't depend on this one.
  return count;
}

/// Copies a text as far as it can be written to a line unchanged (`shim_copy_up_to`).
static inline size_t shim_copy_plain(void *target, const void *source, size_t count) {
  return shim_copy_up_to(target, source, count, shim_specials16);
}

/// Copies a text as far as it is printable (`shim_copy_up_to`).
static inline size_t shim_copy_printable(void *target, const void *source, size_t count) {
  return shim_copy_up_to(target, source, count, shim_unprintables16);
}

/// Copies a text up to its first NUL (`shim_copy_up_to`).
static inline size_t shim_copy_text(void *target, const void *source, size_t count) {
  return shim_copy_up_to(target, source, count, shim_ends16);
}

/// Copies `count` bytes in pieces of sixteen: source and target have that many and fifteen more.
static inline void shim_copy_rounded(void *target, const void *source, size_t count) {
  for (size_t at = 0; at < count; at += sizeof(shim_bytes16))
    memcpy((unsigned char *)target + at, (const unsigned char *)source + at, sizeof(shim_bytes16));
}

/// The index of a byte among the first sixteen of a text of 1 byte or more; 16 or more if it isn't among
/// them.
static inline size_t shim_index_within16(const void *source, size_t count, unsigned char byte) {
  shim_bytes16 bytes;
  if (count >= sizeof bytes)
    memcpy(&bytes, source, sizeof bytes);
  else
    bytes = shim_load_short_text(source, count);
  size_t index = (size_t)__builtin_ctz(shim_bits16((shim_bytes16)(bytes == byte)) | 0x10000);
  return index < count ? index : sizeof bytes;
}

/// Which of the sixteen bytes at an offset of a text are white space (C's `isspace`), as bits; bits behind
/// the text are undefined.
static inline uint32_t shim_blanks16(const unsigned char *from, size_t at, size_t count) {
  shim_bytes16 bytes;
  if (count - at >= sizeof bytes)
    memcpy(&bytes, from + at, sizeof bytes);
  else
    bytes = shim_load_short_text(from + at, count - at);
  return shim_bits16((shim_bytes16)(bytes == ' ') | (shim_bytes16)(bytes - '\t' < 5));
}

/// Which bytes of a text of 1 to 64 bytes aren't white space, as bits, the first byte's the lowest.
static inline uint64_t shim_words64(const void *source, size_t count) {
  const unsigned char *from = (const unsigned char *)source;
  uint64_t words = 0;
  for (size_t at = 0; at < count; at += sizeof(shim_bytes16))
    words |= (uint64_t)(shim_blanks16(from, at, count) ^ 0xffff) << at;
  return words & UINT64_MAX >> (64 - count);
}

/// The offsets at which a word of a text begins and ends; equal if there is none.
struct shim_word {
  size_t start, end;
};

/// The first word of a text. Reads no more of the text than needed.
static inline struct shim_word shim_first_word(const void *source, size_t count) {
  const unsigned char *from = (const unsigned char *)source;
  struct shim_word word = {count, count};
  size_t at = 0;
  uint32_t others = 0;
  for (; at < count; at += sizeof(shim_bytes16)) {
    others = shim_blanks16(from, at, count) ^ 0xffff;
    if (__builtin_expect(others != 0, 1)) break;
  }
  if (at >= count) return word;
  uint32_t shift = (uint32_t)__builtin_ctz(others);
  // Bytes behind the text may look like a word.
  if (count - at <= shift) return word;
  word.start = at + shift;
  // The blanks behind the word's first byte.
  uint32_t blanks = (others ^ 0xffff) & (UINT32_MAX << shift);
  while (blanks == 0) {
    at += sizeof(shim_bytes16);
    if (at >= count) return word;
    blanks = shim_blanks16(from, at, count);
  }
  size_t end = at + (size_t)__builtin_ctz(blanks);
  if (end < count) word.end = end;
  return word;
}

#endif
