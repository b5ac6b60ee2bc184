/*
 * Takes over the global executor of Swift's tasks, so that a simulation decides when each part of a task runs.
 *
 * The hooks are those that the runtime declares for this purpose in swift/Runtime/Concurrency.h.
 */
#ifndef TASK_HOOKS_H
#define TASK_HOOKS_H

/* Receives a job that is ready to run. */
typedef void (*task_hooks_sink)(void *job);

/*
 * Sends the jobs that would go to the threads of the global executor to the sink instead, from now on: those of new
 * tasks, of tasks that are resumed and of actors. Task.yield() and Task.sleep() go past it.
 */
void task_hooks_install(task_hooks_sink sink);

/* Runs a job on the calling thread until its task suspends or ends. Each job has to be run exactly once. */
void task_hooks_run(void *job);

#endif
