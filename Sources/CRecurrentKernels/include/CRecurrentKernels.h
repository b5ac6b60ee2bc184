// Kernels for recurrent layers: float32, compiled once per instruction set, chosen at run time.
//
// Determinism: one accumulator per output, from the bias, inputs in ascending order, one fused multiply-add each, no
// libm. So a row gives the same bits alone or in a batch, with AVX2 or AVX-512 or NEON. SSE2 has no fused multiply-add:
// its results differ, and its `arithmetic` says so.
//
// Packed weights: columns in blocks of `block`; [ceil(columns/block)][rows][block], the last block padded with zeros.
#ifndef C_RECURRENT_KERNELS_H
#define C_RECURRENT_KERNELS_H
#include <stddef.h>

// How the gates i, f and o are squashed.
enum { CRK_SIGMOID = 0, CRK_HARD_SIGMOID_KERAS2 = 1, CRK_HARD_SIGMOID_KERAS3 = 2 };

typedef struct crk_kernels {
    const char *_Nonnull name;        // "avx512", "avx2", "neon", "sse2"
    const char *_Nonnull arithmetic;  // kernels of equal arithmetic give equal bits
    size_t block;                     // columns in one packed block
    // y[n][columns] = bias + a[n][ka] · W[0..<ka] + b[n][kb] · W[ka..<ka+kb]; lda, ldb, ldy in floats. kb may be 0.
    void (*_Nonnull affine)(size_t n, size_t ka, size_t kb, size_t columns, const float *_Nonnull packed,
                            const float *_Nonnull bias, const float *_Nonnull a, size_t lda, const float *_Nullable b,
                            size_t ldb, float *_Nonnull y, size_t ldy);
    // w[rows][columns] += Σ_n a[n][rows]ᵀ · d[n][columns], n ascending.
    void (*_Nonnull accumulate)(size_t n, size_t rows, size_t columns, const float *_Nonnull a, size_t lda,
                                const float *_Nonnull d, size_t ldd, float *_Nonnull w);
    // One LSTM cell per row: z[n][4·units] holds the sums of i, f, c, o and is replaced by the activated gates;
    // c[n][units] becomes the new cell state; h and tanh_c (may be NULL) are written.
    void (*_Nonnull cell)(size_t n, size_t units, int recurrent_activation, float *_Nonnull z, float *_Nonnull c,
                          size_t ldc, float *_Nonnull h, size_t ldh, float *_Nullable tanh_c);
    void (*_Nonnull vexp)(size_t n, const float *_Nonnull x, float *_Nonnull y);
    void (*_Nonnull vtanh)(size_t n, const float *_Nonnull x, float *_Nonnull y);
    void (*_Nonnull vsigmoid)(size_t n, const float *_Nonnull x, float *_Nonnull y);
    // sin(2πx), for calendar features.
    void (*_Nonnull vsin2pi)(size_t n, const float *_Nonnull x, float *_Nonnull y);
} crk_kernels;

// The best kernels of this CPU.
const crk_kernels *_Nonnull crk_best(void);
// The kernels of that name; NULL when this CPU or this build lacks them.
const crk_kernels *_Nullable crk_named(const char *_Nonnull name);
#endif
