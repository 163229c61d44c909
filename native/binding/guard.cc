// The guard: what it answers to a start, and the one in this process.
#include "core/guard.h"

#include <napi.h>

#include <memory>
#include <string>
#include <utility>

#include "binding/owning_handle.h"
#include "binding/topics.h"
#include "platform/platform.h"

namespace sigshield {

namespace {

// An array of the two ends and what owns them, or the negative errno.
Napi::Value open_acknowledgement(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  auto pipe = std::make_unique<Acknowledgement>();
  const Failure failure = pipe->open();
  if (failure) return Napi::Number::New(env, -failure.error);
  auto answer = Napi::Array::New(env, 3);
  answer.Set(0U, pipe->read_end.get());
  answer.Set(1U, pipe->write_end.get());
  answer.Set(2U, owning_handle(env, std::move(pipe)));
  return answer;
}

Acknowledgement& pipe_of(const Napi::CallbackInfo& info) {
  return *info[0].As<Napi::External<Acknowledgement>>().Data();
}

void close_read_end(const Napi::CallbackInfo& info) { pipe_of(info).read_end.reset(); }

void close_write_end(const Napi::CallbackInfo& info) { pipe_of(info).write_end.reset(); }

// (fd, timeoutMs)
Napi::Value wait(const Napi::CallbackInfo& info) {
  const GuardAnswer answer = wait_for_guard(info[0].As<Napi::Number>(), info[1].As<Napi::Number>());
  return Napi::Number::New(info.Env(), static_cast<int>(answer));
}

Napi::Value guarded(const Napi::CallbackInfo& info) { return Napi::BigInt::New(info.Env(), guarded_signals()); }

void lift(const Napi::CallbackInfo& info) {
  bool lossless = false;
  lift_guard(info[0].As<Napi::BigInt>().Uint64Value(&lossless));
}

Napi::Value has_capabilities(const Napi::CallbackInfo& info) {
  const std::string path = info[0].As<Napi::String>();
  return Napi::Boolean::New(info.Env(), platform::has_file_capabilities(path.c_str()));
}

}  // namespace

void register_guard(Napi::Env env, Napi::Object exports) {
  export_function<open_acknowledgement>(env, exports, "openAcknowledgement");
  export_function<close_read_end>(env, exports, "closeAcknowledgementReadEnd");
  export_function<close_write_end>(env, exports, "closeAcknowledgementWriteEnd");
  export_function<wait>(env, exports, "waitForGuard");
  export_function<guarded>(env, exports, "guardedSignals");
  export_function<lift>(env, exports, "liftGuard");
  export_function<has_capabilities>(env, exports, "hasFileCapabilities");
}

}  // namespace sigshield
