// ISA-L's compressor, with the same face where the library isn't there when this is built.
//
// No `link` in the module map: what is to be linked comes from pkg-config, which knows of the library only where it is.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if __has_include(<isa-l/igzip_lib.h>)

#include <isa-l/igzip_lib.h>
#include <string.h>

static inline bool isal_gzip_is_there(void) { return true; }

// How much memory a compressor needs, aligned as for any type.
static inline size_t isal_gzip_state_size(void) { return sizeof(struct isal_zstream) + ISAL_DEF_LVL2_DEFAULT; }

// Compresses all of the input into one gzip member. Returns its size, or 0 if there isn't enough room.
static inline size_t isal_gzip_compress(
    void *state, int level, const void *input, size_t input_size, void *output, size_t output_size) {
  struct isal_zstream *stream = state;
  isal_deflate_stateless_init(stream);
  stream->level = level;
  stream->level_buf = (uint8_t *)state + sizeof *stream;
  stream->level_buf_size = level == 1 ? ISAL_DEF_LVL1_DEFAULT : ISAL_DEF_LVL2_DEFAULT;
  stream->gzip_flag = IGZIP_GZIP;
  stream->end_of_stream = 1;
  stream->next_in = (uint8_t *)input;
  stream->avail_in = (uint32_t)input_size;
  stream->next_out = output;
  stream->avail_out = output_size > UINT32_MAX ? UINT32_MAX : (uint32_t)output_size;
  return isal_deflate_stateless(stream) == COMP_OK && stream->avail_in == 0 ? stream->total_out : 0;
}

#else

static inline bool isal_gzip_is_there(void) { return false; }
static inline size_t isal_gzip_state_size(void) { return 0; }
static inline size_t isal_gzip_compress(
    void *state, int level, const void *input, size_t input_size, void *output, size_t output_size) {
  return 0;
}

#endif
