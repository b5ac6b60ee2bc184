#include "CRecurrentKernels.h"
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define SUFFIX _avx2
#define WIDTH 8
#define ROWS 3
#define STEP_UNROLL 2
#define ROW_VECTORS 2
#define HAS_FMA 1
#define NAME "avx2"
#define ARITHMETIC "fma-1"
#include "kernels.inc"
#pragma clang attribute pop
#endif
