#ifndef SQLITE_SEED_H
#define SQLITE_SEED_H

#include <stdint.h>

/* Starts SQLite's own generator of random numbers anew. The seed is not 0. */
void simulated_disk_seed_sqlite(uint32_t seed);

#endif
