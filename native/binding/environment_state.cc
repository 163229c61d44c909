#include "binding/environment_state.h"

#include <array>
#include <cstddef>
#include <memory>

namespace sigshield {

namespace {

// What a listener throws becomes the process's 'uncaughtException', as it does for Node's own handles, and the caller
// goes on. Any other failure means that the environment is closing and runs no JavaScript any more: nobody is there to
// be told, and node-addon-api's own wrappers would abort the process.
void after_call(napi_env env, napi_status status) {
  napi_value exception = nullptr;
  if (status != napi_pending_exception || napi_get_and_clear_last_exception(env, &exception) != napi_ok) return;
  napi_fatal_exception(env, exception);
}

}  // namespace

Failure EnvironmentState::open_exit_watcher() {
  if (exit_watcher_is_open_) return {};
  if (exit_watcher_ == nullptr) {
    exit_watcher_ = new ExitWatcher(
        loop(), [this](const StartOutcome& outcome) { deliver(outcome); }, [this](const Exit& exit) { deliver(exit); });
    close_at_end(exit_watcher_);
  }
  const Failure failure = exit_watcher_->open();
  exit_watcher_is_open_ = !failure;
  return failure;
}

Napi::Value EnvironmentState::watch_exit_event(int fd, const Napi::Function& raised) {
  if (exit_event_watch_ == nullptr) {
    auto flag = Napi::Int32Array::New(env_, 1);
    // In a thread that is being terminated.
    if (flag.IsEmpty()) return {};
    auto watch = std::make_unique<ExitEventWatch>(loop(), fd, flag.Data(), [this] { raise(); });
    if (watch->failure()) return env_.Null();
    exit_event_watch_ = watch.release();
    close_at_end(exit_event_watch_);
    exit_flag_ = Napi::Persistent(flag.As<Napi::Object>());
  }
  on_exit_event_.push_back(Napi::Persistent(raised));
  return exit_flag_.Value();
}

// Node-API's own functions, as they answer in a worker thread that is being terminated too.
std::string_view EnvironmentState::text_of(napi_value value) {
  // What a rare big request took is given back at the next.
  constexpr std::size_t kKept = std::size_t{1} << 20;
  if (text_.size() > kKept) text_ = std::string(1024, '\0');
  std::size_t length = 0;
  napi_get_value_string_utf8(env_, value, text_.data(), text_.size(), &length);
  // What does not fit is cut: a character may miss up to three bytes and the terminator.
  if (length + 4 >= text_.size()) {
    napi_get_value_string_utf8(env_, value, nullptr, 0, &length);
    text_.resize(length + 5);
    napi_get_value_string_utf8(env_, value, text_.data(), text_.size(), &length);
  }
  return std::string_view{text_}.substr(0, length);
}

uv_loop_t* EnvironmentState::loop() const {
  uv_loop_t* loop = nullptr;
  napi_get_uv_event_loop(env_, &loop);
  return loop;
}

// What the loop holds is closed by the environment's end, and destroyed when the loop has let go of it.
template <typename Watch>
void EnvironmentState::close_at_end(Watch* watch) {
  const auto hook = [](napi_async_cleanup_hook_handle handle, void* data) {
    auto* const owned = static_cast<Watch*>(data);
    owned->close([owned, handle] {
      delete owned;
      napi_remove_async_cleanup_hook(handle);
    });
  };
  napi_add_async_cleanup_hook(env_, hook, watch, nullptr);
}

void EnvironmentState::raise() {
  const Napi::HandleScope scope{env_};
  call_each(on_exit_event_, {});
}

void EnvironmentState::deliver(const StartOutcome& outcome) {
  const Napi::HandleScope scope{env_};
  const platform::Started& started = outcome.started;
  const std::array<napi_value, 6> arguments{
      Napi::Number::New(env_, outcome.id),
      Napi::Number::New(env_, -started.failure.error),
      Napi::String::New(env_, step_name(started.failure.step)),
      Napi::Boolean::New(env_, started.enforced),
      Napi::BigInt::New(env_, started.in_force),
      Napi::BigInt::New(env_, started.kept_ignored),
  };
  call_each(on_start_, arguments);
}

void EnvironmentState::deliver(const Exit& exit) {
  const Napi::HandleScope scope{env_};
  const platform::ExitStatus& status = exit.status;
  const auto number = [&](double value) { return Napi::Number::New(env_, value); };
  const Napi::Value null = env_.Null();
  const std::array<napi_value, 6> arguments{
      number(exit.id),
      status.known && status.signal == 0 ? number(status.code) : null,
      status.signal != 0 ? number(status.signal) : null,
      number(status.user_cpu_us),
      number(status.system_cpu_us),
      status.max_rss_bytes ? number(*status.max_rss_bytes) : null,
  };
  call_each(on_exit_, arguments);
}

void EnvironmentState::call_each(const std::list<Napi::FunctionReference>& callbacks,
                                 std::span<const napi_value> arguments) {
  for (const Napi::FunctionReference& callback : callbacks) {
    after_call(env_, napi_make_callback(env_, context_, env_.Global(), callback.Value(), arguments.size(),
                                        arguments.data(), nullptr));
  }
}

}  // namespace sigshield
