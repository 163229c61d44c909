#include "platform/symbols.h"

#include <dlfcn.h>

namespace sigshield::platform {

// Nothing tells the size of an object.
void* exported_object(const char*, std::size_t) { return nullptr; }

// One reference more, which nobody gives back. That alone does it: dyld looks at RTLD_NODELETE only where it may load.
void stay_loaded() {
  Dl_info addon{};
  if (dladdr(reinterpret_cast<const void*>(&stay_loaded), &addon) == 0 || addon.dli_fname == nullptr) return;
  static_cast<void>(dlopen(addon.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE));
}

}  // namespace sigshield::platform
