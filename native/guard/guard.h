// What the guard, the addon and any program agree on.
#pragma once

#ifdef __cplusplus
#include <cstdint>
#else
#include <stdint.h>
#endif

// The signals to keep ignored, by number: 2,15. lib/signal/guard.ts has the same name.
#define SIGSHIELD_GUARD_VARIABLE "SIGSHIELD_GUARD"

#ifdef __cplusplus
extern "C" {
#endif

// Bit n-1 stands for signal n.
uint64_t sigshield_guard_signals(void);

// From then on the process has the actions that it asked for last. Those that it asked for none of stay ignored until
// it does.
void sigshield_guard_lift(uint64_t signals);

#ifdef __cplusplus
}
#endif
