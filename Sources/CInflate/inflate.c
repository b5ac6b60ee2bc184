#include "inflate.h"

#include <stdlib.h>
#include <zlib.h>

struct inflater {
    z_stream stream;
};

struct inflater *inflater_make(int window_bits) {
    struct inflater *inflater = calloc(1, sizeof *inflater);
    if (inflater && inflateInit2(&inflater->stream, window_bits) != Z_OK) {
        free(inflater);
        return NULL;
    }
    return inflater;
}

void inflater_free(struct inflater *inflater) {
    inflateEnd(&inflater->stream);
    free(inflater);
}

void inflater_reset(struct inflater *inflater) { inflateReset(&inflater->stream); }

enum inflater_result inflater_run(struct inflater *inflater, const uint8_t *input, size_t *input_count,
                                  uint8_t *output, size_t *output_count) {
    z_stream *stream = &inflater->stream;
    stream->next_in = (Bytef *)input;
    stream->avail_in = (uInt)*input_count;
    stream->next_out = output;
    stream->avail_out = (uInt)*output_count;
    int code = inflate(stream, Z_NO_FLUSH);
    *input_count -= stream->avail_in;
    *output_count -= stream->avail_out;
    stream->next_in = NULL;
    stream->next_out = NULL;
    if (code == Z_STREAM_END) return inflater_ended;
    // No progress was possible: the input is used up.
    return code == Z_OK || code == Z_BUF_ERROR ? inflater_continues : inflater_broken;
}
