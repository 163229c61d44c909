#include "core/environment_lock.h"

#include "platform/symbols.h"

namespace sigshield {

namespace {

// node::per_process::env_var_mutex, which is a uv_mutex_t and nothing else (src/node_mutex.h of Node 20 to 26): another
// size is another type.
uv_mutex_t* mutex() {
  // NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables): a lock is there to be changed.
  static auto* const found =
      static_cast<uv_mutex_t*>(platform::exported_object("_ZN4node11per_process13env_var_mutexE", sizeof(uv_mutex_t)));
  return found;
}

}  // namespace

bool EnvironmentLock::exists() { return mutex() != nullptr; }

EnvironmentLock::EnvironmentLock() { uv_mutex_lock(mutex()); }

EnvironmentLock::~EnvironmentLock() { uv_mutex_unlock(mutex()); }

}  // namespace sigshield
