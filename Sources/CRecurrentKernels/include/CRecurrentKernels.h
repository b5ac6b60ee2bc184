// Kernels for recurrent layers: float32, compiled once per instruction set, chosen at run time.
//
// Determinism: one accumulator per output, starting from the bias, inputs in ascending order, one fused multiply-add
// each, no libm. So a row gives the same bits alone or in a batch, with AVX2, AVX-512 or NEON, and so do gradients. SSE2
// has no fused multiply-add: its results differ, and its `arithmetic` says so.
//
// Packed weights, the same for every set: columns in blocks of 64, [ceil(columns/64)][rows][64], the last block padded
// with zeros. An LSTM's columns are grouped so that a block holds the four gates of 16 units:
// [ceil(units/16)][inputs + units][i f c o × 16].
#ifndef C_RECURRENT_KERNELS_H
#define C_RECURRENT_KERNELS_H
#include <stddef.h>
#include "maps.h"
#include "pinball.h"

enum { CRK_BLOCK = 64, CRK_UNITS_PER_BLOCK = 16 };

// Activation functions. Those up to CRK_HARD_SIGMOID_KERAS3 have a derivative that follows from their value.
enum {
    CRK_TANH = 0,
    CRK_SIGMOID = 1,
    CRK_HARD_SIGMOID_KERAS2 = 2,  // clip(0.2x + 0.5, 0, 1)
    CRK_HARD_SIGMOID_KERAS3 = 3,  // clip(x/6 + 0.5, 0, 1)
    CRK_LINEAR = 4,
    CRK_RELU = 5,
    CRK_RELU6 = 6,
    CRK_LEAKY_RELU = 7,  // slope 0.2 below zero
    CRK_ELU = 8,
    CRK_SELU = 9,
    CRK_SOFTPLUS = 10,
    CRK_SOFTSIGN = 11,
    CRK_EXPONENTIAL = 12,
    CRK_GELU = 13,
    CRK_SILU = 14,
    CRK_MISH = 15,
    CRK_LOG_SIGMOID = 16,
    CRK_HARD_SILU = 17,
    CRK_HARD_TANH = 18,
    CRK_TANH_SHRINK = 19,
    CRK_HARD_SHRINK = 20,
    CRK_SOFT_SHRINK = 21,
    CRK_SQUAREPLUS = 22,
    CRK_CELU = 23,
};

// One LSTM cell: `depth` = inputs + units.
typedef struct crk_cell {
    size_t depth, units;
    const float *_Nonnull weights;  // [ceil(units/16)][depth][i f c o × 16]
    const float *_Nonnull bias;     // [ceil(units/16)][i f c o × 16]
    int activation, recurrent_activation;
} crk_cell;

// Floats from one row's gates to the next: an odd number of cache lines, because rows at a stride of a power of two
// share so few sets of the L1 cache that products over many rows would always miss it.
static inline size_t crk_gates_stride(size_t units) {
    return (units + CRK_UNITS_PER_BLOCK - 1) / CRK_UNITS_PER_BLOCK * CRK_BLOCK + CRK_UNITS_PER_BLOCK;
}

// The arrays of one step of n rows; every stride counts floats between rows.
typedef struct crk_step {
    const float *_Nonnull xh;  // [n][depth]: input, then hidden state
    size_t xh_stride;
    const float *_Nonnull c_before;  // [n][units]; may be `c`
    size_t c_before_stride;
    float *_Nonnull c;  // [n][units]
    size_t c_stride;
    float *_Nonnull h;  // [n][units]; must not overlap `xh`
    size_t h_stride;
    // What a backward pass needs, or NULL. The rows of the last two are contiguous.
    float *_Nullable gates;   // [n][crk_gates_stride]: [blocks][i f c o × 16], activated
    float *_Nullable tanh_c;  // [n][blocks × 16]: the activation of c
    float *_Nullable slopes;  // [n][blocks][i f c o c × 16]: derivatives; needed unless crk_has_simple_slopes
} crk_step;

// What the caller reads after a product: it is prefetched during the product, because the tape of a training run does
// not fit the L1 or L2 cache.
typedef struct crk_ahead {
    const float *_Nonnull gates;                        // `lines` lines of 16 floats
    const float *_Nonnull tanh_c, *_Nonnull c_before;  // a quarter as many each
    size_t lines;
} crk_ahead;

typedef struct crk_kernels {
    const char *_Nonnull name;        // "avx512", "avx2", "neon", "sse2"
    const char *_Nonnull arithmetic;  // kernels of equal arithmetic give equal bits
    // One step of n rows.
    void (*_Nonnull step)(const crk_cell *_Nonnull cell, size_t n, const crk_step *_Nonnull rows);
    // One step of n rows in place: x [n][depth − units], h and c [n][units]. Allocates nothing up to a depth of 16,384.
    void (*_Nonnull stream)(const crk_cell *_Nonnull cell, size_t n, const float *_Nonnull x, size_t x_stride,
                            float *_Nonnull h, float *_Nonnull c, size_t state_stride);
    // The backward pass through one step. gates [n][crk_gates_stride] become the derivatives of the loss with respect
    // to the gates' sums; dc [n][blocks × 16], the derivative with respect to c, becomes that with respect to the
    // previous c. Rows whose mask is 0 (mask may be NULL) pass dc on and get zero derivatives.
    void (*_Nonnull step_back)(const crk_cell *_Nonnull cell, size_t n, float *_Nonnull gates,
                               const float *_Nonnull tanh_c, const float *_Nullable slopes,
                               const float *_Nonnull c_before, const float *_Nonnull dh, float *_Nonnull dc,
                               const unsigned char *_Nullable mask, size_t mask_stride);
    // y[n][columns] = bias + a[n][depth] · weights, packed; bias [columns padded to 64].
    void (*_Nonnull affine)(size_t n, size_t depth, size_t columns, const float *_Nonnull packed,
                            const float *_Nonnull bias, const float *_Nonnull a, size_t lda, float *_Nonnull y,
                            size_t ldy, const crk_ahead *_Nullable ahead);
    // w, packed [blocks][depth][64], += Σ_n a[n][depth]ᵀ · d[n][columns], n ascending; rows of d are read up to the next
    // multiple of 16.
    void (*_Nonnull accumulate)(size_t n, size_t depth, size_t columns, const float *_Nonnull a, size_t lda,
                                const float *_Nonnull d, size_t ldd, float *_Nonnull w);
    // y = activation(x); slopes (may be NULL) its derivative. y may be x.
    void (*_Nonnull activate)(int activation, size_t n, const float *_Nonnull x, float *_Nonnull y,
                              float *_Nullable slopes);
    void (*_Nonnull vexp)(size_t n, const float *_Nonnull x, float *_Nonnull y);
    // sin(2πx), for calendar features.
    void (*_Nonnull vsin2pi)(size_t n, const float *_Nonnull x, float *_Nonnull y);
    // One step of Adam over n weights with moments m and v (Kingma and Ba, 2015, before their equation 1); rate already
    // includes the bias correction of the step.
    void (*_Nonnull adam)(size_t n, float *_Nonnull w, const float *_Nonnull gradient, float *_Nonnull m,
                          float *_Nonnull v, float rate, float beta1, float beta2, float epsilon);
} crk_kernels;

// The best kernels of this CPU; those that the environment names in NILOMETER_KERNELS if there are such, to compare sets.
const crk_kernels *_Nonnull crk_best(void);
// The kernels of that name; NULL if this CPU or this build lacks them.
const crk_kernels *_Nullable crk_named(const char *_Nonnull name);
// Whether the derivatives of a cell with these activations follow from the activated values alone.
int crk_has_simple_slopes(int activation, int recurrent_activation);

// Packs Keras' kernel [rows][4·units] into rows `first`… of packed weights [ceil(units/16)][depth][64]. With per_gate,
// each gate has rows of its own, 4·rows in all, and the rest is left unchanged (zero).
void crk_pack(size_t rows, size_t units, int per_gate, size_t depth, size_t first, const float *_Nonnull kernel,
              float *_Nonnull weights);
// The inverse of crk_pack.
void crk_unpack(size_t rows, size_t units, int per_gate, size_t depth, size_t first, const float *_Nonnull weights,
                float *_Nonnull kernel);
// Packs the same kernel transposed: packed columns are its rows (4·rows of them with per_gate), packed rows its columns
// in the order of packed gates.
void crk_pack_transposed(size_t rows, size_t units, int per_gate, const float *_Nonnull kernel, float *_Nonnull back);
#endif
