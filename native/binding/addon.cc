#include <napi.h>

#include "binding/environment_state.h"
#include "binding/topics.h"
#include "platform/symbols.h"

namespace sigshield {

namespace {

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  platform::stay_loaded();
  env.SetInstanceData(new EnvironmentState(env));
  register_spawn(env, exports);
  register_spawn_sync(env, exports);
  register_exits(env, exports);
  register_processes(env, exports);
  register_exit_event(env, exports);
  register_ending(env, exports);
  register_guard(env, exports);
  register_signals(env, exports);
  register_standing(env, exports);
  register_streams(env, exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(sigshield, initialize)

}  // namespace sigshield
