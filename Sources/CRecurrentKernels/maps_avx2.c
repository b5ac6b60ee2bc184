#include "maps.h"
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define SUFFIX _avx2
#define WIDTH 8
#define HAS_FMA 1
#define NAME "avx2"
#include "maps.inc"
#pragma clang attribute pop
#endif
