// The environment a child starts with.
#pragma once

#include <string>

namespace sigshield {

// The process's own environment, byte for byte. Not safe against setenv in another thread (environ(7)).
std::string own_environment();

// `base` with `changes` applied: NAME=value sets a variable, NAME alone removes it. All are blocks for StringList.
std::string changed_environment(const std::string& base, const std::string& changes);

}  // namespace sigshield
