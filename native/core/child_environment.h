// The environment a child starts with.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sigshield {

// A block for StringList: `base`, or without one the process's own environment byte for byte, with `changes` applied:
// NAME=value sets a variable, NAME alone removes it. Both are such blocks too.
// Not safe against setenv in another thread (environ(7)).
std::string child_environment(std::optional<std::string_view> base, std::string_view changes);

}  // namespace sigshield
