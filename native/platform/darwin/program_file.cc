#include "platform/platform.h"

namespace sigshield::platform {

// There are none.
bool has_file_capabilities(const char*) { return false; }

}  // namespace sigshield::platform
