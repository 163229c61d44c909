// A child that is started and seen through in one call.
#include <napi.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <utility>

#include "binding/start_request.h"
#include "binding/topics.h"
#include "core/sync_child.h"

namespace sigshield {

namespace {

// Absent where the child's input is no pipe of ours.
std::optional<std::span<const char>> input_of(const Napi::CallbackInfo& info) {
  void* data = nullptr;
  std::size_t length = 0;
  if (napi_get_typedarray_info(info.Env(), info[2], nullptr, &length, &data, nullptr, nullptr) != napi_ok) return {};
  return std::span{static_cast<const char*>(data), length};
}

SyncLimits limits_of(const Napi::CallbackInfo& info) {
  return {
      .timeout = info[3].As<Napi::Number>(),
      .max_buffer = info[4].As<Napi::Number>(),
      .kill_signal = info[5].As<Napi::Number>(),
      .grace = info[6].As<Napi::Number>(),
      .drain = info[7].As<Napi::Number>(),
  };
}

// What is asked at each SIGINT. A thread that is terminated runs no JavaScript, and waits for nothing but its child.
std::function<bool(pid_t)> interruption_of(const Napi::CallbackInfo& info) {
  return [env = napi_env{info.Env()}, function = napi_value{info[8]}](pid_t pid) {
    napi_value argument = nullptr;
    napi_value result = nullptr;
    bool is_enough = true;
    napi_create_int32(env, pid, &argument);
    if (napi_call_function(env, function, function, 1, &argument, &result) == napi_ok) {
      napi_get_value_bool(env, result, &is_enough);
    }
    return is_enough;
  };
}

// What the call answers with. Node-API's own functions: the thread may be terminated meanwhile, and runs no JavaScript
// then, which node-addon-api's wrappers take for a reason to abort the process.
class Answer {
 public:
  explicit Answer(napi_env env) : env_(env) { napi_create_object(env, &object_); }

  void set(const char* name, napi_value value) {
    if (value != nullptr) napi_set_named_property(env_, object_, name, value);
  }

  napi_value number(int value) {
    napi_value result = nullptr;
    napi_create_int32(env_, value, &result);
    return result;
  }

  napi_value null() {
    napi_value result = nullptr;
    napi_get_null(env_, &result);
    return result;
  }

  // One entry for each descriptor. Null where there is more than a Buffer can hold, which is thrown then.
  napi_value outputs(std::span<const std::int32_t> descriptors, bool has_input, std::span<OutputPipe> pipes) {
    napi_value list = nullptr;
    napi_create_array_with_length(env_, descriptors.size(), &list);
    auto pipe = pipes.begin();
    for (std::uint32_t i = 0; i < descriptors.size(); ++i) {
      const bool is_output = descriptors[i] == kNewPipe && !(i == 0 && has_input);
      napi_value entry = is_output ? buffer(*pipe++) : null();
      if (entry == nullptr) return nullptr;
      napi_set_element(env_, list, i, entry);
    }
    return list;
  }

  [[nodiscard]] Napi::Value value() const { return {env_, object_}; }

 private:
  napi_value buffer(OutputPipe& pipe) {
    void* data = nullptr;
    napi_value result = nullptr;
    if (napi_create_buffer(env_, pipe.size(), &data, &result) != napi_ok) return nullptr;
    pipe.move_to(static_cast<char*>(data));
    return result;
  }

  napi_env env_;
  napi_value object_ = nullptr;
};

// (text, ArrayBuffer of Wire, input | null, timeoutMs, maxBuffer, killSignal, graceMs, drainMs, interrupted | null):
// the child's end, or the negative errno of the step that failed.
Napi::Value spawn_sync(const Napi::CallbackInfo& info) {
  Wire* const wire = wire_of(info);
  if (wire == nullptr) return {};
  const std::optional<std::span<const char>> input = input_of(info);
  SyncChild child{limits_of(info)};
  StartResult started;
  if (!info[8].IsNull()) started.failure = child.listen(interruption_of(info));
  if (!started.failure) started = start_requested(info, *wire);
  answer(*wire, started);
  if (started.failure) return Napi::Number::New(info.Env(), -started.failure.error);
  const auto [status, error] = child.run(std::move(started), input);

  Answer answer{info.Env()};
  answer.set("code", status.known && status.signal == 0 ? answer.number(status.code) : answer.null());
  answer.set("signal", status.signal != 0 ? answer.number(status.signal) : answer.null());
  answer.set("errno", answer.number(-error));
  answer.set("output", answer.outputs(descriptors_of(*wire), input.has_value(), child.outputs()));
  return answer.value();
}

}  // namespace

void register_spawn_sync(Napi::Env env, Napi::Object exports) {
  export_function<spawn_sync>(env, exports, "spawnSync");
}

}  // namespace sigshield
