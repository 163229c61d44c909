// The state of one environment: the main thread's or a worker thread's.
#pragma once

#include <napi.h>
#include <uv.h>

#include <list>
#include <span>
#include <string>
#include <string_view>

#include "binding/handed_over.h"
#include "core/exit_event_watch.h"
#include "core/exit_watcher.h"
#include "core/failure.h"

namespace sigshield {

class EnvironmentState {
 public:
  explicit EnvironmentState(Napi::Env env) : env_(env), context_(env, "sigshield") {}
  EnvironmentState(const EnvironmentState&) = delete;
  EnvironmentState& operator=(const EnvironmentState&) = delete;

  // Take what the exit watcher calls: (id, -errno, step, enforced, inForce, keptIgnored), then (id, code | null,
  // signal | null, userCpuUs, systemCpuUs, maxRssBytes | null). Each evaluation of the library in this environment
  // brings its own, and knows the ids of its own children.
  void on_start(const Napi::Function& callback) { on_start_.push_back(Napi::Persistent(callback)); }
  void on_exit(const Napi::Function& callback) { on_exit_.push_back(Napi::Persistent(callback)); }

  [[nodiscard]] uv_loop_t* loop() const;

  // Null until a child was to be started.
  [[nodiscard]] ExitWatcher* exit_watcher() const { return exit_watcher_; }

  // There is a watcher when this does not fail. When it does: perhaps the next time.
  Failure open_exit_watcher();

  [[nodiscard]] HandedOver& handed_over() { return handed_over_; }

  // An environment inherits one event at the most, and watches it once. Returns the flag, null where the
  // system has no thread or descriptor to give for it.
  Napi::Value watch_exit_event(int fd, const Napi::Function& raised);

  // Valid until the next call.
  std::string_view text_of(napi_value value);

 private:
  template <typename Watch>
  void close_at_end(Watch* watch);
  void raise();
  void deliver(const StartOutcome& outcome);
  void deliver(const Exit& exit);
  void call_each(const std::list<Napi::FunctionReference>& callbacks, std::span<const napi_value> arguments);

  Napi::Env env_;
  Napi::AsyncContext context_;
  std::string text_ = std::string(1024, '\0');
  HandedOver handed_over_;
  // Lists, as a callback may evaluate the library once more, which adds one.
  std::list<Napi::FunctionReference> on_start_;
  std::list<Napi::FunctionReference> on_exit_;
  std::list<Napi::FunctionReference> on_exit_event_;
  Napi::ObjectReference exit_flag_;
  // Both are owned by the cleanup hooks of the environment.
  ExitWatcher* exit_watcher_ = nullptr;
  bool exit_watcher_is_open_ = false;
  ExitEventWatch* exit_event_watch_ = nullptr;
};

inline EnvironmentState& state_of(const Napi::CallbackInfo& info) {
  return *info.Env().GetInstanceData<EnvironmentState>();
}

}  // namespace sigshield
