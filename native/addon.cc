// The Node-API surface: converts values, owns the state of each environment, decides nothing. lib/native.ts types it.
#include <napi.h>
#include <uv.h>

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "environment.h"
#include "exit_event.h"
#include "exit_watcher.h"
#include "spawn.h"

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

// Reads the properties of a request. In a worker thread that is being terminated every call into the engine fails, at
// any moment: from then on all values are empty and `failed` is true.
class Reader {
 public:
  Reader(napi_env env, napi_value object) : env_(env), object_(object) {}

  [[nodiscard]] bool failed() const { return failed_; }

  std::string text(const char* key) {
    auto* const value = get(key);
    std::size_t length = 0;
    if (failed_ || fails(napi_get_value_string_utf8(env_, value, nullptr, 0, &length))) return {};
    std::string result(length, '\0');
    // The terminator that Node-API writes falls on the string's own.
    fails(napi_get_value_string_utf8(env_, value, result.data(), length + 1, &length));
    return result;
  }

  bool is_null(const char* key) {
    napi_valuetype type = napi_undefined;
    auto* const value = get(key);
    return !failed_ && !fails(napi_typeof(env_, value, &type)) && type == napi_null;
  }

  bool flag(const char* key) {
    bool result = false;
    auto* const value = get(key);
    if (!failed_) fails(napi_get_value_bool(env_, value, &result));
    return result;
  }

  std::int64_t number(const char* key) {
    std::int64_t result = 0;
    auto* const value = get(key);
    if (!failed_) fails(napi_get_value_int64(env_, value, &result));
    return result;
  }

  SignalSet signals(const char* key) {
    std::uint64_t result = 0;
    bool lossless = false;
    auto* const value = get(key);
    if (!failed_) fails(napi_get_value_bigint_uint64(env_, value, &result, &lossless));
    return result;
  }

  std::optional<pid_t> integer(const char* key) {
    if (is_null(key) || failed_) return std::nullopt;
    return static_cast<pid_t>(number(key));
  }

  // Negative numbers wrap as uid_t does.
  std::optional<std::uint32_t> id(const char* key) {
    const auto value = integer(key);
    return value ? std::optional{static_cast<std::uint32_t>(*value)} : std::nullopt;
  }

  // The array's own memory.
  std::span<std::int32_t> integers(const char* key) {
    std::size_t length = 0;
    void* data = nullptr;
    auto* const value = get(key);
    if (failed_ || fails(napi_get_typedarray_info(env_, value, nullptr, &length, &data, nullptr, nullptr))) return {};
    return {static_cast<std::int32_t*>(data), length};
  }

 private:
  bool fails(napi_status status) {
    failed_ = failed_ || status != napi_ok;
    return failed_;
  }

  napi_value get(const char* key) {
    napi_value value = nullptr;
    if (!failed_) fails(napi_get_named_property(env_, object_, key, &value));
    return value;
  }

  napi_env env_;
  napi_value object_;
  bool failed_ = false;
};

// The state of one environment: the main thread's or a worker thread's.
class Environment {
 public:
  explicit Environment(Napi::Env env) : env_(env), context_(env, "sigshield") {}
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  // Takes what the exit watcher calls: (id, code | null, signal | null, userCpuUs, systemCpuUs, maxRssBytes | null).
  void on_exit(const Napi::Function& callback) { on_exit_ = Napi::Persistent(callback); }

  // Null until a child was to be started.
  [[nodiscard]] ExitWatcher* exit_watcher() const { return exit_watcher_; }

  // Returns 0 when there is a watcher now, or the errno of what it could not be had for: perhaps the next time.
  [[nodiscard]] int open_exit_watcher() {
    if (exit_watcher_ != nullptr) return 0;
    auto watcher = std::make_unique<ExitWatcher>(loop(), [this](const Exit& exit) { deliver(exit); });
    if (watcher->error() != 0) return watcher->error();
    exit_watcher_ = watcher.release();
    close_at_end(exit_watcher_);
    return 0;
  }

  // Called once: an environment inherits one event at the most. Returns { errno, flag }.
  Napi::Value watch_exit_event(int fd, const Napi::Function& raised) {
    auto flag = Napi::Int32Array::New(env_, 1);
    exit_flag_ = Napi::Persistent(flag.As<Napi::Object>());
    on_exit_event_ = Napi::Persistent(raised);
    exit_event_watch_ = new ExitEventWatch(loop(), fd, flag.Data(), [this] { raise(); });
    close_at_end(exit_event_watch_);
    auto answer = Napi::Object::New(env_);
    answer.Set("errno", -exit_event_watch_->error());
    answer.Set("flag", flag);
    return answer;
  }

  void keep_exit_event_alive(bool on) { exit_event_watch_->keep_alive(on); }

 private:
  [[nodiscard]] uv_loop_t* loop() const {
    uv_loop_t* loop = nullptr;
    napi_get_uv_event_loop(env_, &loop);
    return loop;
  }

  // What the loop holds is closed by the environment's end, and destroyed when the loop has let go of it.
  template <typename Watch>
  void close_at_end(Watch* watch) {
    const auto hook = [](napi_async_cleanup_hook_handle handle, void* data) {
      auto* const owned = static_cast<Watch*>(data);
      owned->close([owned, handle] {
        delete owned;
        napi_remove_async_cleanup_hook(handle);
      });
    };
    napi_add_async_cleanup_hook(env_, hook, watch, nullptr);
  }

  void raise() {
    const Napi::HandleScope scope{env_};
    after_call(env_, napi_make_callback(env_, context_, env_.Global(), on_exit_event_.Value(), 0, nullptr, nullptr));
  }

  void deliver(const Exit& exit) {
    const Napi::HandleScope scope{env_};
    const auto number = [&](double value) { return Napi::Number::New(env_, value); };
    const Napi::Value null = env_.Null();
    const std::array<napi_value, 6> arguments{
        number(exit.id),
        exit.known && exit.signal == 0 ? number(exit.code) : null,
        exit.signal != 0 ? number(exit.signal) : null,
        number(exit.user_cpu_us),
        number(exit.system_cpu_us),
        exit.max_rss_bytes ? number(*exit.max_rss_bytes) : null,
    };
    after_call(env_, napi_make_callback(env_, context_, env_.Global(), on_exit_.Value(), arguments.size(),
                                        arguments.data(), nullptr));
  }

  Napi::Env env_;
  Napi::AsyncContext context_;
  Napi::FunctionReference on_exit_;
  ExitWatcher* exit_watcher_ = nullptr;
  Napi::FunctionReference on_exit_event_;
  Napi::ObjectReference exit_flag_;
  ExitEventWatch* exit_event_watch_ = nullptr;
};

Environment& environment(const Napi::CallbackInfo& info) { return *info.Env().GetInstanceData<Environment>(); }

// The descriptors array is written back: a pipe entry becomes the parent's end of it.
Napi::Value spawn_child(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Reader options{env, info[0]};
  const std::span<std::int32_t> descriptors = options.integers("descriptors");
  const std::string base = options.is_null("environment") ? own_environment() : options.text("environment");

  SpawnRequest request{
      .file = options.text("file"),
      .arguments = StringList{options.text("arguments")},
      .environment = StringList{changed_environment(base, options.text("environmentChanges"))},
      .directory = options.text("directory"),
      .descriptors = {descriptors.begin(), descriptors.end()},
      .ignored = options.signals("ignored"),
      .blocked = options.signals("blocked"),
      .enforcement = static_cast<Enforcement>(options.number("enforcement")),
      .new_session = options.flag("newSession"),
      .process_group = options.integer("processGroup"),
      .foreground = options.flag("foreground"),
      .parent_death_signal = static_cast<int>(options.number("parentDeathSignal")),
      .uid = options.id("uid"),
      .gid = options.id("gid"),
  };
  if (options.failed()) return {};

  Environment& state = environment(info);
  SpawnResult result;
  result.error = state.open_exit_watcher();
  if (result.error == 0) {
    result = spawn(request);
  } else {
    result.failed_step = Step::kEpoll;
  }

  auto answer = Napi::Object::New(env);
  answer.Set("errno", -result.error);
  answer.Set("step", step_name(result.failed_step));
  answer.Set("enforced", result.enforced);
  if (result.error == 0) {
    answer.Set("pid", result.pid);
    StartedChild child{result.pid, std::move(result.pidfd), result.parent_peak_rss_kb,
                       request.foreground ? group_of(request, result.pid) : 0};
    answer.Set("id", state.exit_watcher()->add(std::move(child)));
  }
  auto pipe = result.pipes.begin();
  for (std::int32_t& descriptor : descriptors) {
    if (descriptor == kNewPipe && pipe != result.pipes.end()) descriptor = (pipe++)->release();
  }
  return answer;
}

Napi::Value kill_child(const Napi::CallbackInfo& info) {
  const int error = environment(info).exit_watcher()->kill(info[0].As<Napi::Number>(), info[1].As<Napi::Number>());
  return Napi::Number::New(info.Env(), -error);
}

Napi::Value kill_group(const Napi::CallbackInfo& info) {
  const int error =
      environment(info).exit_watcher()->kill_group(info[0].As<Napi::Number>(), info[1].As<Napi::Number>());
  return Napi::Number::New(info.Env(), -error);
}

void kill_group_at_exit(const Napi::CallbackInfo& info) {
  environment(info).exit_watcher()->kill_group_at_exit(info[0].As<Napi::Number>());
}

void keep_alive(const Napi::CallbackInfo& info) {
  environment(info).exit_watcher()->keep_alive(info[0].As<Napi::Number>(), info[1].As<Napi::Boolean>());
}

void on_exit(const Napi::CallbackInfo& info) { environment(info).on_exit(info[0].As<Napi::Function>()); }

Napi::Value create_exit_pipe(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  auto pipe = std::make_unique<ExitPipe>();
  auto answer = Napi::Object::New(env);
  answer.Set("errno", -pipe->error());
  if (pipe->error() != 0) return answer;
  answer.Set("fd", pipe->read_fd());
  answer.Set("inode", static_cast<double>(pipe->inode()));
  answer.Set("handle",
             Napi::External<ExitPipe>::New(env, pipe.release(), [](Napi::Env, ExitPipe* owned) { delete owned; }));
  return answer;
}

// (handle, keepReadEnd)
void set_exit_pipe(const Napi::CallbackInfo& info) {
  ExitPipe& pipe = *info[0].As<Napi::External<ExitPipe>>().Data();
  pipe.set();
  if (!info[1].As<Napi::Boolean>()) pipe.close_read_end();
}

Napi::Value claim_exit_fd(const Napi::CallbackInfo& info) {
  const double inode = info[1].As<Napi::Number>();
  const bool claimed = sigshield::claim_exit_fd(info[0].As<Napi::Number>(), static_cast<std::uint64_t>(inode));
  return Napi::Boolean::New(info.Env(), claimed);
}

Napi::Value wait_for_exit_event(const Napi::CallbackInfo& info) {
  const ExitReason reason = sigshield::wait_for_exit_event(info[0].As<Napi::Number>(), info[1].As<Napi::Number>());
  return Napi::Number::New(info.Env(), static_cast<double>(reason));
}

Napi::Value watch_exit_event(const Napi::CallbackInfo& info) {
  return environment(info).watch_exit_event(info[0].As<Napi::Number>(), info[1].As<Napi::Function>());
}

void keep_exit_event_alive(const Napi::CallbackInfo& info) {
  environment(info).keep_exit_event_alive(info[0].As<Napi::Boolean>());
}

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new Environment(env));
  exports.Set("spawn", Napi::Function::New<spawn_child>(env, "spawn"));
  exports.Set("kill", Napi::Function::New<kill_child>(env, "kill"));
  exports.Set("killGroup", Napi::Function::New<kill_group>(env, "killGroup"));
  exports.Set("killGroupAtExit", Napi::Function::New<kill_group_at_exit>(env, "killGroupAtExit"));
  exports.Set("keepAlive", Napi::Function::New<keep_alive>(env, "keepAlive"));
  exports.Set("onExit", Napi::Function::New<on_exit>(env, "onExit"));
  exports.Set("createExitPipe", Napi::Function::New<create_exit_pipe>(env, "createExitPipe"));
  exports.Set("setExitPipe", Napi::Function::New<set_exit_pipe>(env, "setExitPipe"));
  exports.Set("claimExitFd", Napi::Function::New<claim_exit_fd>(env, "claimExitFd"));
  exports.Set("waitForExitEvent", Napi::Function::New<wait_for_exit_event>(env, "waitForExitEvent"));
  exports.Set("watchExitEvent", Napi::Function::New<watch_exit_event>(env, "watchExitEvent"));
  exports.Set("keepExitEventAlive", Napi::Function::New<keep_exit_event_alive>(env, "keepExitEventAlive"));
  return exports;
}

}  // namespace

NODE_API_MODULE(sigshield, initialize)

}  // namespace sigshield
