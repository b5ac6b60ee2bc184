#include "CRecurrentKernels.h"
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma"), min_vector_width(512))), apply_to = function)
#define SUFFIX _avx512
#define WIDTH 16
#define ROWS 6
#define STEP_UNROLL 1
#define ROW_VECTORS 1
#define HAS_FMA 1
#define NAME "avx512"
#define ARITHMETIC "fma-1"
#include "kernels.inc"
#pragma clang attribute pop
#endif
