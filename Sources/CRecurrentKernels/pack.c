// Converts between Keras' layout and the kernels'. Every copy is of the 16 units of a block, which are contiguous in
// both.
#include "CRecurrentKernels.h"
#include <string.h>

enum { LANES = CRK_UNITS_PER_BLOCK };

// Whole blocks have a constant length, so the copy is inlined.
static void copy_lanes(float *to, const float *from, size_t units, size_t block) {
    size_t left = units - block * LANES;
    if (left >= LANES) memcpy(to, from, LANES * sizeof(float));
    else memcpy(to, from, left * sizeof(float));
}

void crk_pack(size_t rows, size_t units, int per_gate, size_t depth, size_t first, const float *kernel,
              float *weights) {
    for (size_t block = 0; block * LANES < units; block++)
        for (size_t row = 0; row < rows; row++)
            for (size_t gate = 0; gate < 4; gate++) {
                size_t to = block * depth + first + (per_gate ? gate * rows : 0) + row;
                copy_lanes(weights + to * CRK_BLOCK + gate * LANES,
                           kernel + row * 4 * units + gate * units + block * LANES, units, block);
            }
}

void crk_unpack(size_t rows, size_t units, int per_gate, size_t depth, size_t first, const float *weights,
                float *kernel) {
    for (size_t block = 0; block * LANES < units; block++)
        for (size_t row = 0; row < rows; row++)
            for (size_t gate = 0; gate < 4; gate++) {
                size_t from = block * depth + first + (per_gate ? gate * rows : 0) + row;
                copy_lanes(kernel + row * 4 * units + gate * units + block * LANES,
                           weights + from * CRK_BLOCK + gate * LANES, units, block);
            }
}

void crk_pack_transposed(size_t rows, size_t units, int per_gate, const float *kernel, float *back) {
    size_t depth = (units + LANES - 1) / LANES * CRK_BLOCK;
    for (size_t row = 0; row < rows; row++)
        for (size_t gate = 0; gate < 4; gate++) {
            size_t column = (per_gate ? gate * rows : 0) + row;
            float *to = back + column / CRK_BLOCK * depth * CRK_BLOCK + column % CRK_BLOCK;
            const float *from = kernel + row * 4 * units + gate * units;
            for (size_t unit = 0; unit < units; unit++)
                to[(unit / LANES * CRK_BLOCK + gate * LANES + unit % LANES) * CRK_BLOCK] = from[unit];
        }
}
