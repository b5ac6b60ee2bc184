#include "CRecurrentKernels.h"
#include <stdlib.h>
#include <string.h>

extern const crk_kernels crk_table_baseline;
#if defined(__x86_64__)
extern const crk_kernels crk_table_avx2, crk_table_avx512;

static const crk_kernels *avx2(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &crk_table_avx2 : 0;
}

static const crk_kernels *avx512(void) {
    int all = avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
              __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
    return all ? &crk_table_avx512 : 0;
}
#else
static const crk_kernels *avx2(void) { return 0; }
static const crk_kernels *avx512(void) { return 0; }
#endif

const crk_kernels *crk_named(const char *name) {
    const crk_kernels *known[] = {avx512(), avx2(), &crk_table_baseline};
    for (int k = 0; k < 3; k++)
        if (known[k] && strcmp(known[k]->name, name) == 0) return known[k];
    return 0;
}

const crk_kernels *crk_best(void) {
    const char *wanted = getenv("NILOMETER_KERNELS");
    const crk_kernels *named = wanted ? crk_named(wanted) : 0;
    if (named) return named;
    const crk_kernels *wide = avx512() ? avx512() : avx2();
    return wide ? wide : &crk_table_baseline;
}

int crk_has_simple_slopes(int activation, int recurrent_activation) {
    return activation == CRK_TANH && recurrent_activation >= CRK_SIGMOID &&
           recurrent_activation <= CRK_HARD_SIGMOID_KERAS3;
}
