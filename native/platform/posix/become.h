// What stands between a process and the program it becomes: the exec helper's work, and that of a process that
// replaces itself. In C, as a start does it in a program without libraries.
#pragma once

#include <sys/types.h>

#include "platform/posix/exec_plan.h"

#ifdef __cplusplus
extern "C" {
#endif

// The lists end with a null pointer, but for the candidates. `arguments[0]` is room for the shell: the program's own
// follow it. All signals are blocked, and at their default actions. Returns only with the step that failed.
struct ExecReport sigshield_become(const struct ExecPlan* plan, const gid_t* groups, const char* directory,
                                   char* const* candidates, char** arguments, char* const* environment);

#ifdef __cplusplus
}
#endif
