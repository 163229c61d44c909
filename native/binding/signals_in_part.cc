// The signals of this process itself, where the system has no sigtimedwait(2) by which another thread could take them:
// what POSIX gives everywhere. The rest is refused. signals.cc has it all.
#include <napi.h>

#include <csignal>
#include <cstring>
#include <string>

#include "binding/topics.h"
#include "core/signal_set.h"

namespace sigshield {

namespace {

sigset_t set_of(const Napi::Value& value) {
  bool lossless = false;
  const SignalSet signals = value.As<Napi::BigInt>().Uint64Value(&lossless);
  sigset_t set;
  sigemptyset(&set);
  for (int signal = 1; signal < NSIG; ++signal) {
    if ((signals & signal_bit(signal)) != 0) sigaddset(&set, signal);
  }
  return set;
}

Napi::Value answer(const Napi::CallbackInfo& info, const sigset_t& set) {
  SignalSet signals = 0;
  for (int signal = 1; signal < NSIG; ++signal) {
    if (sigismember(&set, signal) == 1) signals |= signal_bit(signal);
  }
  return Napi::BigInt::New(info.Env(), signals);
}

// (how, signals)
Napi::Value change_mask(const Napi::CallbackInfo& info) {
  constexpr int kChanges[] = {SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK};
  const sigset_t set = set_of(info[1]);
  sigset_t old;
  pthread_sigmask(kChanges[info[0].As<Napi::Number>().Uint32Value() % 3], &set, &old);
  return answer(info, old);
}

void set_mask(const Napi::CallbackInfo& info) {
  const sigset_t set = set_of(info[0]);
  pthread_sigmask(SIG_SETMASK, &set, nullptr);
}

Napi::Value pending_signals(const Napi::CallbackInfo& info) {
  sigset_t set;
  sigpending(&set);
  return answer(info, set);
}

Napi::Value raise_signal(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), -pthread_kill(pthread_self(), info[0].As<Napi::Number>()));
}

Napi::Value describe_signal(const Napi::CallbackInfo& info) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): for signals that the system has.
  return Napi::String::New(info.Env(), strsignal(info[0].As<Napi::Number>()));
}

Napi::Value disposition(const Napi::CallbackInfo& info) {
  struct sigaction action{};
  sigaction(info[0].As<Napi::Number>(), nullptr, &action);
  if ((action.sa_flags & SA_SIGINFO) != 0) return Napi::Number::New(info.Env(), 2);
  const int known = action.sa_handler == SIG_DFL ? 0 : action.sa_handler == SIG_IGN ? 1 : 2;
  return Napi::Number::New(info.Env(), known);
}

void refuse(const Napi::CallbackInfo& info) {
  const std::string name = static_cast<const char*>(info.Data());
  const Napi::Error error = Napi::Error::New(
      info.Env(),
      name +
          " of sigshield/signals works on Linux only: this system lets no thread take the signals of others. "
          "Use process.on() and process.off() around what must not be disturbed");
  error.Set("code", "ERR_FEATURE_UNAVAILABLE_ON_PLATFORM");
  error.ThrowAsJavaScriptException();
}

void export_refusal(Napi::Env env, Napi::Object exports, const char* function, const char* called) {
  // It is only read.
  exports.Set(function, Napi::Function::New(env, refuse, function, const_cast<char*>(called)));
}

}  // namespace

void register_signals(Napi::Env env, Napi::Object exports) {
  export_function<change_mask>(env, exports, "changeMask");
  export_function<set_mask>(env, exports, "setMask");
  export_function<pending_signals>(env, exports, "pendingSignals");
  export_function<raise_signal>(env, exports, "raiseSignal");
  export_function<describe_signal>(env, exports, "describeSignal");
  export_function<disposition>(env, exports, "disposition");
  export_refusal(env, exports, "ignoreSignals", "ignore()");
  export_refusal(env, exports, "holdSignals", "hold()");
  export_refusal(env, exports, "takeSignal", "waitSync()");
  export_refusal(env, exports, "waitForSignal", "wait()");
}

}  // namespace sigshield
