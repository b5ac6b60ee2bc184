#ifndef C_INVOCATION_H
#define C_INVOCATION_H

// A program that has this opens standard streams that are closed on /dev/null, before anything else.
//
// The arguments as the kernel passed them. Swift's CommandLine.arguments looks for them in /proc/self/cmdline or beside the
// environment, and finds none where there is no /proc or a preloaded library has moved the environment.

// How many there are, the program's own name among them; 0 if it was started without any.
int invocation_count(void);

// NULL beyond the last.
const char *invocation_argument(int place);

#endif
