// Zlib's inflate, whose stream may not move in memory and whose init is a macro: what Swift cannot call.
#ifndef NILOMETER_INFLATE_H
#define NILOMETER_INFLATE_H

#include <stddef.h>
#include <stdint.h>

struct inflater;

enum inflater_result {
    /// It goes on: give more input or more room.
    inflater_goes_on,
    /// A stream has ended with its checksum.
    inflater_ended,
    /// The input is not what it says, or there is no memory.
    inflater_broken
};

/// - window_bits: 15 for zlib's format, 31 for gzip's (zlib.h, inflateInit2). Null if there is no memory.
struct inflater *_Nullable inflater_make(int window_bits);
void inflater_free(struct inflater *_Nonnull inflater);

/// Begins the next stream.
void inflater_reset(struct inflater *_Nonnull inflater);

/// Inflates until the input or the room is used up; writes how much of each was used.
enum inflater_result inflater_run(struct inflater *_Nonnull inflater, const uint8_t *_Nullable input,
                                  size_t *_Nonnull input_count, uint8_t *_Nonnull output,
                                  size_t *_Nonnull output_count);

#endif
