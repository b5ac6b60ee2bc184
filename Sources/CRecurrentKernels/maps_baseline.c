// The instruction set that every CPU of the architecture has, and the choice among the sets.
#include "maps.h"
#define SUFFIX _baseline
#define WIDTH 4
#if defined(__aarch64__)
#define HAS_FMA 1
#define NAME "neon"
#else
#define HAS_FMA 0
#define NAME "sse2"
#endif
#include "maps.inc"

#if defined(__x86_64__)
extern const crk_maps crk_maps_avx2, crk_maps_avx512;
#endif

const crk_maps *crk_maps_named(const char *name) {
#if defined(__x86_64__)
    if (strcmp(name, "avx512") == 0) return &crk_maps_avx512;
    if (strcmp(name, "avx2") == 0) return &crk_maps_avx2;
#endif
    return &crk_maps_baseline;
}
