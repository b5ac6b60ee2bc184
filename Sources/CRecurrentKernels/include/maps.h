// Elementary functions over arrays, beside those of CRecurrentKernels.h: compiled once per instruction set, chosen by name.
#ifndef C_RECURRENT_MAPS_H
#define C_RECURRENT_MAPS_H
#include <stddef.h>

typedef struct crk_maps {
    const char *_Nonnull name;  // as crk_kernels.name
    // ln x; x is clamped to at least 1.2e-38.
    void (*_Nonnull vlog)(size_t n, const float *_Nonnull x, float *_Nonnull y);
    // ln(x + √(x² + 1)), with the sign of x.
    void (*_Nonnull vasinh)(size_t n, const float *_Nonnull x, float *_Nonnull y);
} crk_maps;

// The functions that match the kernels of that name, or else the baseline's.
const crk_maps *_Nonnull crk_maps_named(const char *_Nonnull name);
#endif
