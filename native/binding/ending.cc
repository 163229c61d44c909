// The end of this process by a signal.
#include <napi.h>
#include <uv.h>

#include <csignal>

#include "binding/topics.h"

namespace sigshield {

namespace {

void reset_terminal(const Napi::CallbackInfo&) { uv_tty_reset_mode(); }

// Returns where the signal can't end this process.
void raise_default(const Napi::CallbackInfo& info) {
  const int signal = info[0].As<Napi::Number>();
  struct sigaction action{};
  action.sa_handler = SIG_DFL;
  sigaction(signal, &action, nullptr);
  static_cast<void>(raise(signal));
}

}  // namespace

void register_ending(Napi::Env env, Napi::Object exports) {
  export_function<reset_terminal>(env, exports, "resetTerminal");
  export_function<raise_default>(env, exports, "raiseDefault");
}

}  // namespace sigshield
