// Where the exec helper is.
#pragma once

#include <string>

namespace sigshield::platform {

// Beside the addon, by its own name there: executable, as far as this process can see to it.
const std::string& exec_helper_path();

}  // namespace sigshield::platform
