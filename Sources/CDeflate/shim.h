// libdeflate's compressor, with the same face where the library isn't there when this is built.
//
// No `link` in the module map: what is to be linked comes from pkg-config, which knows of the library only where it is.

#include <stdbool.h>
#include <stddef.h>

#if __has_include(<libdeflate.h>)

#include <libdeflate.h>

static inline bool deflate_gzip_is_there(void) { return true; }

static inline void *deflate_gzip_open(int level) { return libdeflate_alloc_compressor(level); }

static inline void deflate_gzip_close(void *compressor) { libdeflate_free_compressor(compressor); }

static inline size_t deflate_gzip_bound(void *compressor, size_t input_size) {
  return libdeflate_gzip_compress_bound(compressor, input_size);
}

// Compresses all of the input into one gzip member. Returns its size, or 0 if there isn't enough room.
static inline size_t deflate_gzip_compress(
    void *compressor, const void *input, size_t input_size, void *output, size_t output_size) {
  return libdeflate_gzip_compress(compressor, input, input_size, output, output_size);
}

#else

static inline bool deflate_gzip_is_there(void) { return false; }
static inline void *deflate_gzip_open(int level) { return NULL; }
static inline void deflate_gzip_close(void *compressor) {}
static inline size_t deflate_gzip_bound(void *compressor, size_t input_size) { return 0; }
static inline size_t deflate_gzip_compress(
    void *compressor, const void *input, size_t input_size, void *output, size_t output_size) {
  return 0;
}

#endif
