#include <sqlite3.h>

#include "sqlite_seed.h"

void simulated_disk_seed_sqlite(uint32_t seed) {
    sqlite3_initialize();
    sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, (int)seed, (sqlite3 *)0);
}
