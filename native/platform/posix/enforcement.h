// What keeps the program from undoing what it ignores, where the exec helper is to see to it.
#pragma once

#include <stdint.h>

// Returns 0, or the errno for which there is no such thing.
int sigshield_enforce(uint64_t ignored);
