#include "task_hooks.h"

#include <stdint.h>

#define SWIFT_CONVENTION __attribute__((swiftcall))

typedef SWIFT_CONVENTION void (*enqueue)(void *job);

extern SWIFT_CONVENTION void (*swift_task_enqueueGlobal_hook)(void *job, enqueue original);
SWIFT_CONVENTION void swift_job_run(void *job, void *executor_identity, uintptr_t executor_implementation);

static task_hooks_sink sink;

static SWIFT_CONVENTION void enqueue_now(void *job, enqueue original) {
    (void)original;
    sink(job);
}

void task_hooks_install(task_hooks_sink new_sink) {
    sink = new_sink;
    swift_task_enqueueGlobal_hook = enqueue_now;
}

void task_hooks_run(void *job) { swift_job_run(job, 0, 0); }
