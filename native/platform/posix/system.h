// What the systems that share this folder do each in its own way. platform.h has what they do alike.
#pragma once

#include <spawn.h>
#include <sys/resource.h>
#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "core/signal_set.h"

namespace sigshield::platform {

// Start

// Those flags of posix_spawnattr_setflags(3) that are the system's own.
short own_spawn_flags();

// The child gets this descriptor at its number. Returns an errno.
int add_inherited(posix_spawn_file_actions_t& actions, int fd);

// The last action: the child gets none but those at these numbers, which are in order. Returns an errno.
int add_closing_of_others(posix_spawn_file_actions_t& actions, const std::vector<int>& numbers);

// What this process, and so its children, can't stop ignoring already.
SignalSet enforced_already();

// Whether the exec helper's sigshield_enforce() may succeed.
bool helper_enforces();

// The path of the file that a process executes, without symbolic links. Empty where the system does not say.
std::string program_path(pid_t pid);

// End

// The peak of a child's own memory.
std::optional<double> max_rss_bytes(const rusage& usage);

}  // namespace sigshield::platform
