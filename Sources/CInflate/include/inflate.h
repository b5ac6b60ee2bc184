// zlib's inflate, which Swift cannot call directly: its stream may not move in memory, and its init is a macro.
#ifndef NILOMETER_INFLATE_H
#define NILOMETER_INFLATE_H

#include <stddef.h>
#include <stdint.h>

struct inflater;

enum inflater_result {
    /// More input or more output space is needed.
    inflater_continues,
    /// A stream has ended with its checksum.
    inflater_ended,
    /// The input is not valid, or there is no memory.
    inflater_broken
};

/// Returns NULL if there is no memory. `window_bits` is 15 for zlib's format and 31 for gzip's (zlib.h, inflateInit2).
struct inflater *_Nullable inflater_make(int window_bits);
void inflater_free(struct inflater *_Nonnull inflater);

/// Resets the inflater for the next stream.
void inflater_reset(struct inflater *_Nonnull inflater);

/// Inflates until the input or the output space is used up, and replaces both counts by the bytes used.
enum inflater_result inflater_run(struct inflater *_Nonnull inflater, const uint8_t *_Nullable input,
                                  size_t *_Nonnull input_count, uint8_t *_Nonnull output,
                                  size_t *_Nonnull output_count);

#endif
