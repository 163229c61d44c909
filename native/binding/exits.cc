// Children that run: signalling them, and being told of their end.
#include <napi.h>
#include <sys/wait.h>

#include <cstdint>

#include "binding/environment_state.h"
#include "binding/topics.h"
#include "core/exit_watcher.h"

namespace sigshield {

namespace {

ExitWatcher& watcher_of(const Napi::CallbackInfo& info) { return *state_of(info).exit_watcher(); }

// 0 or a negative errno.
Napi::Value answer(const Napi::CallbackInfo& info, const Failure& failure) {
  return Napi::Number::New(info.Env(), -failure.error);
}

Napi::Value kill_child(const Napi::CallbackInfo& info) {
  return answer(info, watcher_of(info).kill(info[0].As<Napi::Number>(), info[1].As<Napi::Number>()));
}

Napi::Value kill_group(const Napi::CallbackInfo& info) {
  return answer(info, watcher_of(info).kill_group(info[0].As<Napi::Number>(), info[1].As<Napi::Number>()));
}

void kill_group_at_exit(const Napi::CallbackInfo& info) {
  watcher_of(info).kill_group_at_exit(info[0].As<Napi::Number>());
}

Napi::Value stop_signal(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), watcher_of(info).stop_signal(info[0].As<Napi::Number>()));
}

// (pid, startedAt, signal)
Napi::Value signal_process(const Napi::CallbackInfo& info) {
  const double started_at = info[1].As<Napi::Number>();
  return answer(info, platform::signal_process(info[0].As<Napi::Number>(), static_cast<std::uint64_t>(started_at),
                                               info[2].As<Napi::Number>()));
}

Napi::Value reap_zombie(const Napi::CallbackInfo& info) {
  const int pid = info[0].As<Napi::Number>();
  return Napi::Boolean::New(info.Env(), waitpid(pid, nullptr, WNOHANG) == pid);
}

void keep_alive(const Napi::CallbackInfo& info) {
  watcher_of(info).keep_alive(info[0].As<Napi::Number>(), info[1].As<Napi::Boolean>());
}

void on_start(const Napi::CallbackInfo& info) { state_of(info).on_start(info[0].As<Napi::Function>()); }

void on_exit(const Napi::CallbackInfo& info) { state_of(info).on_exit(info[0].As<Napi::Function>()); }

}  // namespace

void register_exits(Napi::Env env, Napi::Object exports) {
  export_function<kill_child>(env, exports, "kill");
  export_function<kill_group>(env, exports, "killGroup");
  export_function<kill_group_at_exit>(env, exports, "killGroupAtExit");
  export_function<stop_signal>(env, exports, "stopSignal");
  export_function<signal_process>(env, exports, "signalProcess");
  export_function<reap_zombie>(env, exports, "reapZombie");
  export_function<keep_alive>(env, exports, "keepAlive");
  export_function<on_start>(env, exports, "onStart");
  export_function<on_exit>(env, exports, "onExit");
}

}  // namespace sigshield
