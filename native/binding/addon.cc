// The Node-API surface: converts values, owns the state of each environment, decides nothing. lib/native.ts types it.
#include <napi.h>
#include <uv.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "core/child_environment.h"
#include "core/exit_event.h"
#include "core/exit_watcher.h"
#include "core/start.h"

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

// The numbers of a start, in memory of lib/native.ts: what it asks for, and what we answer. To get and set properties
// instead costs more than the clone.
struct Numbers {
  SignalSet ignored;
  SignalSet blocked;
  std::int32_t argument_count;
  std::int32_t environment_count;  // -1: the process's own environment.
  std::int32_t enforcement;
  std::int32_t new_session;
  std::int32_t set_process_group;
  std::int32_t process_group;
  std::int32_t foreground;
  std::int32_t parent_death_signal;
  std::int32_t set_uid;
  std::int32_t uid;  // Negative numbers wrap as uid_t does.
  std::int32_t set_gid;
  std::int32_t gid;
  std::int32_t change_count;
  std::int32_t descriptor_count;
  // The answer.
  std::int32_t step;
  std::int32_t pid;
  std::int32_t enforced;
  // An answer too: a pipe entry becomes the parent's end of it.
  std::int32_t descriptors[];
};
static_assert(offsetof(Numbers, argument_count) == 16 && offsetof(Numbers, descriptors) == 16 + 17 * 4);

// Takes strings off a text in which every one ends with a NUL.
class Strings {
 public:
  explicit Strings(std::string_view text) : rest_(text) {}

  std::string one() {
    const std::string_view block = several(1);
    return std::string{block.substr(0, block.size() - 1)};
  }

  // As a block for StringList.
  std::string_view several(int count) {
    std::size_t end = 0;
    for (; count > 0; --count) end = std::min(rest_.find('\0', end), rest_.size() - 1) + 1;
    const std::string_view block = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return block;
  }

  [[nodiscard]] bool all_taken() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

// The state of one environment: the main thread's or a worker thread's.
class Environment {
 public:
  explicit Environment(Napi::Env env) : env_(env), context_(env, "sigshield") {}
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  // Takes what the exit watcher calls: (id, code | null, signal | null, userCpuUs, systemCpuUs, maxRssBytes | null).
  // Each evaluation of the library in this environment brings its own, and knows the ids of its own children.
  void on_exit(const Napi::Function& callback) { on_exit_.push_back(Napi::Persistent(callback)); }

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

  // An environment inherits one event at the most, and watches it once. Returns { errno, flag }.
  Napi::Value watch_exit_event(int fd, const Napi::Function& raised) {
    auto answer = Napi::Object::New(env_);
    if (exit_event_watch_ == nullptr) {
      auto flag = Napi::Int32Array::New(env_, 1);
      auto* const watch = new ExitEventWatch(loop(), fd, flag.Data(), [this] { raise(); });
      close_at_end(watch);
      if (watch->error() != 0) {
        // Perhaps the next time.
        answer.Set("errno", -watch->error());
        return answer;
      }
      exit_event_watch_ = watch;
      exit_flag_ = Napi::Persistent(flag.As<Napi::Object>());
    }
    on_exit_event_.push_back(Napi::Persistent(raised));
    answer.Set("errno", 0);
    answer.Set("flag", exit_flag_.Value());
    return answer;
  }

  // Valid until the next call. These calls answer in a worker thread that is being terminated too.
  std::string_view text_of(napi_value value) {
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
    call_each(on_exit_event_, {});
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
    call_each(on_exit_, arguments);
  }

  // A list, as a callback may evaluate the library once more, which adds one.
  void call_each(const std::list<Napi::FunctionReference>& callbacks, std::span<const napi_value> arguments) {
    for (const Napi::FunctionReference& callback : callbacks) {
      after_call(env_, napi_make_callback(env_, context_, env_.Global(), callback.Value(), arguments.size(),
                                          arguments.data(), nullptr));
    }
  }

  Napi::Env env_;
  Napi::AsyncContext context_;
  std::string text_ = std::string(1024, '\0');
  std::list<Napi::FunctionReference> on_exit_;
  ExitWatcher* exit_watcher_ = nullptr;
  std::list<Napi::FunctionReference> on_exit_event_;
  Napi::ObjectReference exit_flag_;
  ExitEventWatch* exit_event_watch_ = nullptr;
};

Environment& environment(const Napi::CallbackInfo& info) { return *info.Env().GetInstanceData<Environment>(); }

// (text, ArrayBuffer of Numbers): the id of the child, or the negative errno of the step that failed. The text is the
// file, the directory, the arguments, the environment unless it is our own, and the changes to it.
Napi::Value spawn_child(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Environment& state = environment(info);
  void* memory = nullptr;
  if (napi_get_arraybuffer_info(env, info[1], &memory, nullptr) != napi_ok) return {};
  Numbers& numbers = *static_cast<Numbers*>(memory);
  const std::string_view text = state.text_of(info[0]);
  Strings strings{text};
  const auto integer_if = [](std::int32_t set, std::int32_t value) {
    return set != 0 ? std::optional{value} : std::nullopt;
  };
  const auto id_if = [](std::int32_t set, std::int32_t value) {
    return set != 0 ? std::optional{static_cast<std::uint32_t>(value)} : std::nullopt;
  };
  std::string file = strings.one();
  std::string directory = strings.one();
  const std::string_view arguments = strings.several(numbers.argument_count);
  std::optional<std::string_view> base;
  if (numbers.environment_count >= 0) base = strings.several(numbers.environment_count);
  const std::string_view changes = strings.several(numbers.change_count);
  if (!strings.all_taken()) {
    // One of the strings has a NUL of its own.
    numbers.step = static_cast<std::int32_t>(Step::kExecve);
    numbers.enforced = 0;
    return Napi::Number::New(env, -EINVAL);
  }

  const std::span<std::int32_t> descriptors{numbers.descriptors, static_cast<std::size_t>(numbers.descriptor_count)};
  SpawnRequest request{
      .file = std::move(file),
      .arguments = StringList{std::string{arguments}},
      .environment = StringList{child_environment(base, changes)},
      .directory = std::move(directory),
      .descriptors = {descriptors.begin(), descriptors.end()},
      .ignored = numbers.ignored,
      .blocked = numbers.blocked,
      .enforcement = static_cast<Enforcement>(numbers.enforcement),
      .new_session = numbers.new_session != 0,
      .process_group = integer_if(numbers.set_process_group, numbers.process_group),
      .foreground = numbers.foreground != 0,
      .parent_death_signal = numbers.parent_death_signal,
      .uid = id_if(numbers.set_uid, numbers.uid),
      .gid = id_if(numbers.set_gid, numbers.gid),
  };

  SpawnResult result;
  result.error = state.open_exit_watcher();
  if (result.error == 0) {
    result = spawn(request);
  } else {
    result.failed_step = Step::kEpoll;
  }

  numbers.step = static_cast<std::int32_t>(result.failed_step);
  numbers.pid = result.pid;
  numbers.enforced = result.enforced ? 1 : 0;
  auto pipe = result.pipes.begin();
  for (std::int32_t& descriptor : descriptors) {
    if (descriptor == kNewPipe && pipe != result.pipes.end()) descriptor = (pipe++)->release();
  }
  if (result.error != 0) return Napi::Number::New(env, -result.error);
  StartedChild child{result.pid, std::move(result.pidfd), request.foreground ? group_of(request, result.pid) : 0};
  return Napi::Number::New(env, state.exit_watcher()->add(std::move(child)));
}

Napi::Value name_of_step(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), step_name(static_cast<Step>(info[0].As<Napi::Number>().Int32Value())));
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
  exports.Set("stepName", Napi::Function::New<name_of_step>(env, "stepName"));
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
