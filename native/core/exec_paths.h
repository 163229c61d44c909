// Which files a start tries, and how a script is run: the rules of execvp(3).
#pragma once

#include <string>
#include <vector>

#include "core/string_list.h"

namespace sigshield {

// Where a program is looked for that is given no PATH.
std::string default_path();

// The paths to try for `file`, in order, as a block for StringList. PATH is taken from `environment`.
std::string candidate_paths(const std::string& file, const StringList& environment);

// `arguments` for /bin/sh to run a file without a known format. Entry 1 is free for the file. NULL-terminated.
std::vector<char*> shell_arguments(const StringList& arguments);

}  // namespace sigshield
