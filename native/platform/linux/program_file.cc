#include <sys/xattr.h>

#include "platform/platform.h"

namespace sigshield::platform {

bool has_file_capabilities(const char* path) { return getxattr(path, "security.capability", nullptr, 0) > 0; }

}  // namespace sigshield::platform
