// Starting a program, in a child that the event loop watches or in place of this one.
#include <napi.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "binding/environment_state.h"
#include "binding/start_request.h"
#include "binding/topics.h"
#include "core/child_pipes.h"
#include "core/environment_lock.h"
#include "core/exec_paths.h"
#include "core/start.h"
#include "core/terminal.h"
#include "core/wire.h"
#include "platform/platform.h"

namespace sigshield {

namespace {

// (Int32Array of descriptors): 0, or the negative errno of one that is not open.
Napi::Value check_open(const Napi::CallbackInfo& info) {
  void* data = nullptr;
  std::size_t length = 0;
  if (napi_get_typedarray_info(info.Env(), info[0], nullptr, &length, &data, nullptr, nullptr) != napi_ok) return {};
  return Napi::Number::New(info.Env(), -check_all_open({static_cast<const int*>(data), length}).error);
}

StartResult start_watched(const Napi::CallbackInfo& info, const Wire& wire, std::optional<ForegroundJob>& job) {
  StartResult result;
  result.failure = state_of(info).open_exit_watcher();
  if (!result.failure && wire.options.foreground != 0) result.failure = open_job(job.emplace());
  if (result.failure) return result;
  result = start_requested(info, wire, job ? job->terminal.get() : -1);
  if (job) job->group = group_of(wire.options, result.process.pid);
  return result;
}

// (text, ArrayBuffer of Wire): the id of the child, or the negative errno of the step that failed.
Napi::Value spawn(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  EnvironmentState& state = state_of(info);
  Wire* const wire = wire_of(info);
  if (wire == nullptr) return {};
  std::optional<ForegroundJob> job;
  StartResult result = start_watched(info, *wire, job);

  answer(*wire, result);
  state.handed_over().give(info[1].As<Napi::ArrayBuffer>(), *wire, std::move(result.pipes));
  if (result.failure) return Napi::Number::New(env, -result.failure.error);
  const auto id = state.exit_watcher()->add(std::move(result.process), std::move(job), std::move(result.under_way));
  return Napi::Number::New(env, id);
}

// The same in place of this program: the negative errno, if it returns.
Napi::Value replace_program(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Wire* const wire = wire_of(info);
  if (wire == nullptr) return {};
  bool is_whole = false;
  StartRequest request = request_of(info, *wire, is_whole);
  const Failure failure = is_whole ? replace(std::move(request)) : kWrongText;
  wire->step = static_cast<std::int32_t>(failure.step);
  return Napi::Number::New(env, -failure.error);
}

Napi::Value name_of_step(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), step_name(static_cast<Step>(info[0].As<Napi::Number>().Int32Value())));
}

// "name:width …", for lib/native/wire.ts to compare with its own.
std::string layout() {
  std::string text;
  for (const WireField& field : kWireFields) {
    if (!text.empty()) text.push_back(' ');
    text.append(field.name).append(":").append(std::to_string(field.width));
  }
  return text;
}

}  // namespace

void register_spawn(Napi::Env env, Napi::Object exports) {
  exports.Set("layout", layout());
  exports.Set("hasSignalFilter", platform::has_signal_filter());
  exports.Set("defaultPath", default_path());
  exports.Set("canReadEnvironment", EnvironmentLock::exists());
  exports.Set("hasParentDeathSignal", platform::has_parent_death_signal());
  export_function<check_open>(env, exports, "checkOpen");
  export_function<spawn>(env, exports, "spawn");
  export_function<replace_program>(env, exports, "replace");
  export_function<name_of_step>(env, exports, "stepName");
}

}  // namespace sigshield
