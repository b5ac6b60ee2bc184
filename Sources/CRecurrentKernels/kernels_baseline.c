// The instruction set that every CPU of the architecture has: NEON on aarch64, SSE2 on x86-64.
#include "CRecurrentKernels.h"
#define SUFFIX _baseline
#define WIDTH 4
#if defined(__aarch64__)
#define ROWS 6
#define STEP_UNROLL 2
#define ROW_VECTORS 2
#define HAS_FMA 1
#define NAME "neon"
#define ARITHMETIC "fma-1"
#else
#define ROWS 3
#define STEP_UNROLL 2
#define ROW_VECTORS 2
#define HAS_FMA 0
#define NAME "sse2"
#define ARITHMETIC "mul-add-1"
#endif
#include "kernels.inc"
