#ifndef C_INVOCATION_H
#define C_INVOCATION_H

// The arguments as the kernel passed them. Swift's CommandLine.arguments looks for them in /proc/self/cmdline or beside
// the environment, and finds none if there is no /proc or a preloaded library has moved the environment.
//
// Linking this also opens closed standard streams on /dev/null, before anything else.

// The number of arguments, including the program's own name; 0 if it was started without any.
int invocation_count(void);

// The argument at `index`; NULL after the last.
const char *invocation_argument(int index);

#endif
