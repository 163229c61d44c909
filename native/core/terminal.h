// The controlling terminal of this process.
#pragma once

#include <sys/types.h>

namespace sigshield {

// Makes this process's group the foreground group again, if `group` is it now. Nothing happens when the terminal is
// somebody else's, or gone.
void take_back_terminal(pid_t group);

}  // namespace sigshield
