// The environment a child starts with.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sigshield {

// A block for StringList: `base`, or without one the process's own environment byte for byte, with `changes` applied:
// NAME=value sets a variable, NAME alone removes it. Both are such blocks too.
// Only where there is an EnvironmentLock may `base` be missing.
std::string child_environment(std::optional<std::string_view> base, std::string_view changes);

}  // namespace sigshield
