// The end of this process by a signal.
#include <napi.h>
#include <termios.h>
#include <unistd.h>
#include <uv.h>

#include <csignal>
#include <optional>

#include "binding/topics.h"
#include "core/guard.h"
#include "core/signal_set.h"
#include "core/terminal.h"
#include "platform/platform.h"

namespace sigshield {

namespace {

// One for the process, as its terminal is.
std::optional<termios>& remembered_mode() {
  static std::optional<termios> mode;
  return mode;
}

void remember_terminal(const Napi::CallbackInfo&) { remembered_mode() = terminal_mode(); }

void reset_terminal(const Napi::CallbackInfo&) {
  uv_tty_reset_mode();
  if (remembered_mode()) set_terminal_mode(*remembered_mode());
}

// Returns where the signal can't end this process.
void raise_default(const Napi::CallbackInfo& info) {
  const int signal = info[0].As<Napi::Number>();
  // A guard would answer in place of the system.
  lift_guard(kAllSignals);
  struct sigaction action{};
  action.sa_handler = SIG_DFL;
  sigaction(signal, &action, nullptr);
  static_cast<void>(raise(signal));
}

// Node's own handlers of SIGINT and SIGTERM put the terminal back, and stand for once (src/node.cc): libuv's stay.
Napi::Value ends_process(const Napi::CallbackInfo& info) {
  struct sigaction action{};
  sigaction(info[0].As<Napi::Number>(), nullptr, &action);
  const bool by_default = (action.sa_flags & SA_SIGINFO) == 0 && action.sa_handler == SIG_DFL;
  return Napi::Boolean::New(info.Env(), by_default || (action.sa_flags & static_cast<int>(SA_RESETHAND)) != 0);
}
void end_by(const Napi::CallbackInfo& info) { platform::end_by(info[0].As<Napi::Number>()); }

// Node would put the terminal back as it was at its start.
void leave(const Napi::CallbackInfo& info) { _exit(info[0].As<Napi::Number>()); }

}  // namespace

void register_ending(Napi::Env env, Napi::Object exports) {
  export_function<remember_terminal>(env, exports, "rememberTerminal");
  export_function<reset_terminal>(env, exports, "resetTerminal");
  export_function<raise_default>(env, exports, "raiseDefault");
  export_function<ends_process>(env, exports, "endsProcess");
  export_function<end_by>(env, exports, "endBy");
  export_function<leave>(env, exports, "leave");
}

}  // namespace sigshield
