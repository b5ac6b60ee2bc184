// What every CPU of the architecture has: NEON on aarch64, SSE2 on x86-64.
#include "CRecurrentKernels.h"
#define SUFFIX _baseline
#define WIDTH 4
#define ROWS 2
#if defined(__aarch64__)
#define HAS_FMA 1
#define NAME "neon"
#define ARITHMETIC "fma-1"
#else
#define HAS_FMA 0
#define NAME "sse2"
#define ARITHMETIC "mul-add-1"
#endif
#include "kernels.inc"
