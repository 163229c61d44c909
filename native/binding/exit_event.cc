// The exit event: the parent's pipe, and the child's end of it.
#include <napi.h>
#include <sys/resource.h>

#include <cstdint>
#include <memory>
#include <utility>

#include "binding/environment_state.h"
#include "binding/owning_handle.h"
#include "binding/topics.h"
#include "core/exit_pipe.h"

namespace sigshield {

namespace {

Napi::Value create_exit_pipe(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  auto pipe = std::make_unique<ExitPipe>();
  auto answer = Napi::Object::New(env);
  const Failure failure = pipe->open();
  answer.Set("errno", -failure.error);
  answer.Set("step", step_name(failure.step));
  if (failure) return answer;
  answer.Set("fd", pipe->read_fd());
  answer.Set("inode", Napi::BigInt::New(env, pipe->inode()));
  answer.Set("handle", owning_handle(env, std::move(pipe)));
  return answer;
}

ExitPipe& pipe_of(const Napi::CallbackInfo& info) { return *info[0].As<Napi::External<ExitPipe>>().Data(); }

void set_exit_pipe(const Napi::CallbackInfo& info) { pipe_of(info).set(); }

void close_read_end(const Napi::CallbackInfo& info) { pipe_of(info).close_read_end(); }

Napi::Value close_unread(const Napi::CallbackInfo& info) {
  ExitPipe& pipe = pipe_of(info);
  const bool unread = !pipe.has_readers();
  if (unread) pipe.close_write_end();
  return Napi::Boolean::New(info.Env(), unread);
}

Napi::Value descriptor_limit(const Napi::CallbackInfo& info) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  return Napi::Number::New(info.Env(), static_cast<double>(limit.rlim_cur));
}

// (fd, inode)
Napi::Value claim(const Napi::CallbackInfo& info) {
  bool lossless = false;
  const std::uint64_t inode = info[1].As<Napi::BigInt>().Uint64Value(&lossless);
  const Claim claim = lossless ? claim_exit_fd(info[0].As<Napi::Number>(), inode) : Claim{};
  auto answer = Napi::Object::New(info.Env());
  answer.Set("isOurs", claim.is_ours);
  answer.Set("errno", -claim.failure.error);
  answer.Set("step", step_name(claim.failure.step));
  return answer;
}

// (fd, timeoutMs)
Napi::Value wait(const Napi::CallbackInfo& info) {
  const ExitReason reason = wait_for_exit_event(info[0].As<Napi::Number>(), info[1].As<Napi::Number>());
  return Napi::Number::New(info.Env(), static_cast<double>(reason));
}

// (fd, raised)
Napi::Value watch(const Napi::CallbackInfo& info) {
  return state_of(info).watch_exit_event(info[0].As<Napi::Number>(), info[1].As<Napi::Function>());
}

}  // namespace

void register_exit_event(Napi::Env env, Napi::Object exports) {
  export_function<create_exit_pipe>(env, exports, "createExitPipe");
  export_function<set_exit_pipe>(env, exports, "setExitPipe");
  export_function<close_read_end>(env, exports, "closeExitReadEnd");
  export_function<close_unread>(env, exports, "closeUnreadExitPipe");
  export_function<descriptor_limit>(env, exports, "descriptorLimit");
  export_function<claim>(env, exports, "claimExitFd");
  export_function<wait>(env, exports, "waitForExitEvent");
  export_function<watch>(env, exports, "watchExitEvent");
}

}  // namespace sigshield
