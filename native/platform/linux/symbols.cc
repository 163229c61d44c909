#include "platform/symbols.h"

#include <dlfcn.h>
#include <unistd.h>

#ifdef __GLIBC__
#include <link.h>
#endif

namespace sigshield::platform {

// Without dladdr1 (musl) nothing tells the size.
void* exported_object(const char* name, std::size_t size) {
#ifdef __GLIBC__
  void* const object = dlsym(RTLD_DEFAULT, name);
  if (object == nullptr) return nullptr;
  Dl_info info{};
  void* entry = nullptr;
  if (dladdr1(object, &info, &entry, RTLD_DL_SYMENT) == 0 || entry == nullptr) return nullptr;
  return info.dli_saddr == object && static_cast<const ElfW(Sym)*>(entry)->st_size == size ? object : nullptr;
#else
  static_cast<void>(name);
  static_cast<void>(size);
  return nullptr;
#endif
}

char** own_environment() { return environ; }

// It is linked so (-z nodelete).
void stay_loaded() {}

}  // namespace sigshield::platform
