// What this kernel can do with a pidfd, and what /proc tells of processes.
#pragma once

#include <sys/types.h>

#include <string>

namespace sigshield::platform {

// Whether /proc is of this process's pid namespace: the numbers of another are other processes' (pid_namespaces(7)).
bool proc_is_own();

// The fields of /proc/PID/stat behind the name, the state first (proc_pid_stat(5)). Empty where it says nothing: the
// process may end before it is read.
std::string stat_of(pid_t pid);

// Whether a tracer holds this process (ptrace(2)): a debugger, strace, proot.
bool is_traced();

// Linux 5.4. Before that a pidfd may exist but can't be waited for.
bool pidfds_can_be_waited_for();

}  // namespace sigshield::platform
