// The signals of this process itself.
#include <napi.h>

#include <array>
#include <csignal>
#include <cstring>
#include <memory>
#include <utility>

#include "binding/topics.h"
#include "core/signal_set.h"
#include "platform/own_signals.h"

namespace sigshield {

namespace {

SignalSet set_of(const Napi::Value& value) {
  bool lossless = false;
  return value.As<Napi::BigInt>().Uint64Value(&lossless);
}

Napi::Value answer(const Napi::CallbackInfo& info, SignalSet set) { return Napi::BigInt::New(info.Env(), set); }

// (how, signals)
Napi::Value change_mask(const Napi::CallbackInfo& info) {
  const auto change = static_cast<platform::MaskChange>(info[0].As<Napi::Number>().Int32Value());
  return answer(info, platform::change_mask(change, set_of(info[1])));
}

void set_mask(const Napi::CallbackInfo& info) { platform::set_mask(set_of(info[0])); }

Napi::Value pending_signals(const Napi::CallbackInfo& info) { return answer(info, platform::pending_signals()); }

void raise_signal(const Napi::CallbackInfo& info) { static_cast<void>(raise(info[0].As<Napi::Number>())); }

Napi::Value describe_signal(const Napi::CallbackInfo& info) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): glibc's and musl's are safe.
  return Napi::String::New(info.Env(), strsignal(info[0].As<Napi::Number>()));
}

Napi::Value disposition(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<int>(platform::disposition(info[0].As<Napi::Number>())));
}

// Who forgets the handle ignores them for ever.
Napi::Value ignore_signals(const Napi::CallbackInfo& info) {
  auto ignored = std::make_unique<platform::SignalsIgnored>(set_of(info[0]));
  return Napi::External<platform::SignalsIgnored>::New(info.Env(), ignored.release());
}

void release_ignored(const Napi::CallbackInfo& info) {
  const std::unique_ptr<platform::SignalsIgnored> ignored{
      info[0].As<Napi::External<platform::SignalsIgnored>>().Data()};
}

// Owned by its handle.
struct Hold {
  std::unique_ptr<platform::SignalHold> signals;
  bool releases_at_end;
};

// At the end of the main thread the process exits by its own code, and what is held is held for ever.
void let_go(Napi::Env, Hold* held) {
  const std::unique_ptr<Hold> hold{held};
  if (!hold->releases_at_end) static_cast<void>(hold->signals.release());
}

// (signals, releaseAtEnd)
Napi::Value hold_signals(const Napi::CallbackInfo& info) {
  auto signals = std::make_unique<platform::SignalHold>(set_of(info[0]));
  if (signals->error() != 0) return Napi::Number::New(info.Env(), -signals->error());
  std::unique_ptr<Hold> hold{new Hold{std::move(signals), info[1].As<Napi::Boolean>()}};
  return Napi::External<Hold>::New(info.Env(), hold.release(), let_go);
}

void release_hold(const Napi::CallbackInfo& info) { info[0].As<Napi::External<Hold>>().Data()->signals.reset(); }

void keep_taking(const Napi::CallbackInfo& info) { platform::keep_taking(info[0].As<Napi::Number>()); }

std::array<napi_value, 3> values(Napi::Env env, const platform::Arrival& arrival) {
  return {Napi::Number::New(env, arrival.signal), Napi::Number::New(env, arrival.sender),
          Napi::Number::New(env, arrival.uid)};
}

// (signals, timeoutMs)
Napi::Value take_signal(const Napi::CallbackInfo& info) {
  const platform::Arrival arrival = platform::take_signal(set_of(info[0]), info[1].As<Napi::Number>());
  Napi::Array array = Napi::Array::New(info.Env());
  for (napi_value value : values(info.Env(), arrival)) array.Set(array.Length(), value);
  return array;
}

// Ends by its signal, or with its environment.
class Wait {
 public:
  // Returns 0 or an errno.
  static int start(Napi::Env env, SignalSet signals, double timeout_ms, const Napi::Function& done) {
    auto wait = std::make_unique<Wait>(env, done);
    wait->signals_ = std::make_unique<platform::SignalWait>(
        signals, timeout_ms, [self = wait.get()](const platform::Arrival& arrival) { self->tell(arrival); });
    if (const int error = wait->signals_->error(); error != 0) {
      wait->loop_.Release();
      return error;
    }
    napi_add_env_cleanup_hook(env, end, wait.release());
    return 0;
  }

  Wait(Napi::Env env, const Napi::Function& done)
      : env_(env), loop_(Napi::ThreadSafeFunction::New(env, done, "sigshield", 0, 1)) {}

 private:
  // On the thread that waits.
  void tell(const platform::Arrival& arrival) {
    loop_.BlockingCall(this, [arrival](Napi::Env env, const Napi::Function& done, Wait* self) {
      napi_remove_env_cleanup_hook(self->env_, end, self);
      end(self);
      const std::array<napi_value, 3> arguments = values(env, arrival);
      done.Call(arguments.size(), arguments.data());
    });
  }

  static void end(void* wait) {
    const std::unique_ptr<Wait> self{static_cast<Wait*>(wait)};
    self->signals_.reset();
    self->loop_.Release();
  }

  Napi::Env env_;
  Napi::ThreadSafeFunction loop_;
  std::unique_ptr<platform::SignalWait> signals_;
};

// (signals, timeoutMs, done)
Napi::Value wait_for_signal(const Napi::CallbackInfo& info) {
  const int error = Wait::start(info.Env(), set_of(info[0]), info[1].As<Napi::Number>(), info[2].As<Napi::Function>());
  return Napi::Number::New(info.Env(), -error);
}

}  // namespace

void register_signals(Napi::Env env, Napi::Object exports) {
  export_function<change_mask>(env, exports, "changeMask");
  export_function<set_mask>(env, exports, "setMask");
  export_function<pending_signals>(env, exports, "pendingSignals");
  export_function<raise_signal>(env, exports, "raiseSignal");
  export_function<describe_signal>(env, exports, "describeSignal");
  export_function<disposition>(env, exports, "disposition");
  export_function<ignore_signals>(env, exports, "ignoreSignals");
  export_function<release_ignored>(env, exports, "releaseIgnored");
  export_function<hold_signals>(env, exports, "holdSignals");
  export_function<release_hold>(env, exports, "releaseHold");
  export_function<keep_taking>(env, exports, "keepTaking");
  export_function<take_signal>(env, exports, "takeSignal");
  export_function<wait_for_signal>(env, exports, "waitForSignal");
}

}  // namespace sigshield
