// Where this process stands among others: who has the terminal, whose parent it is, and its limits.
#include <fcntl.h>
#include <napi.h>
#include <sys/resource.h>

#include <csignal>

#include "binding/topics.h"
#include "core/terminal.h"
#include "platform/own_signals.h"
#include "platform/platform.h"

namespace sigshield {

namespace {

Napi::Value adopt_orphans(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), -platform::adopt_orphans().error);
}

// The soft limit, as far as the hard one lets it be.
void limit_descriptors(const Napi::CallbackInfo& info) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = static_cast<rlim_t>(info[0].As<Napi::Number>().Int64Value());
  static_cast<void>(setrlimit(RLIMIT_NOFILE, &limit));
}

void set_blocking(const Napi::CallbackInfo& info) {
  const int fd = info[0].As<Napi::Number>();
  const int flags = fcntl(fd, F_GETFL);
  if (flags >= 0 && (flags & O_NONBLOCK) != 0) fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
}

// Or refused at once.
Napi::Value can_write(const Napi::CallbackInfo& info) {
  pollfd writable{.fd = info[0].As<Napi::Number>(), .events = POLLOUT, .revents = 0};
  return Napi::Boolean::New(info.Env(), platform::wait_for_any({&writable, 1}, 0) > 0);
}

Napi::Value hand_over_terminal(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), hand_over_terminal_to(info[0].As<Napi::Number>()));
}

// Another thread that lays an action of ours over the signal meanwhile waits.
void stop_by_default(const Napi::CallbackInfo& info) {
  const int signal = info[0].As<Napi::Number>();
  platform::keep_taking(signal, [signal] {
    struct sigaction action{};
    action.sa_handler = SIG_DFL;
    struct sigaction before{};
    sigaction(signal, &action, &before);
    static_cast<void>(raise(signal));
    sigaction(signal, &before, nullptr);
  });
}

}  // namespace

void register_standing(Napi::Env env, Napi::Object exports) {
  export_function<adopt_orphans>(env, exports, "adoptOrphans");
  export_function<limit_descriptors>(env, exports, "limitDescriptors");
  export_function<set_blocking>(env, exports, "setBlocking");
  export_function<can_write>(env, exports, "canWrite");
  export_function<hand_over_terminal>(env, exports, "handOverTerminal");
  export_function<stop_by_default>(env, exports, "stopByDefault");
}

}  // namespace sigshield
