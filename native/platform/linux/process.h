// What this kernel can do with a pidfd, and whether /proc tells of this process's own numbers.
#pragma once

namespace sigshield::platform {

// Whether /proc is of this process's pid namespace: the numbers of another are other processes' (pid_namespaces(7)).
bool proc_is_own();

// Linux 5.4. Before that a pidfd may exist but can't be waited for.
bool pidfds_can_be_waited_for();

}  // namespace sigshield::platform
