// Treats denormals as zero inside one kernel call: vanishing gradients become denormals, which are a hundred times
// slower.
#ifndef C_RECURRENT_FLUSH_H
#define C_RECURRENT_FLUSH_H
#if defined(__x86_64__)
#define FLUSH_TO_ZERO                                  \
    unsigned control_before = __builtin_ia32_stmxcsr(); \
    __builtin_ia32_ldmxcsr(control_before | 0x8040u);
#define RESTORE_DENORMALS __builtin_ia32_ldmxcsr(control_before);
#elif defined(__aarch64__)
#define FLUSH_TO_ZERO                                               \
    unsigned long control_before;                                   \
    __asm__ volatile("mrs %0, fpcr" : "=r"(control_before));        \
    __asm__ volatile("msr fpcr, %0" ::"r"(control_before | 1ul << 24));
#define RESTORE_DENORMALS __asm__ volatile("msr fpcr, %0" ::"r"(control_before));
#else
#define FLUSH_TO_ZERO
#define RESTORE_DENORMALS
#endif
#endif
