// The signals of this process itself.
#include <napi.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>

#include "binding/environment_state.h"
#include "binding/owning_handle.h"
#include "binding/topics.h"
#include "core/action_keeper.h"
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

Napi::Value pending_signals(const Napi::CallbackInfo& info) {
  SignalSet pending = 0;
  const std::int64_t error = platform::pending_signals(pending);
  return error == 0 ? answer(info, pending) : Napi::BigInt::New(info.Env(), -error);
}

Napi::Value raise_signal(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), -platform::raise_signal(info[0].As<Napi::Number>()));
}

Napi::Value describe_signal(const Napi::CallbackInfo& info) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): glibc's and musl's are safe.
  return Napi::String::New(info.Env(), strsignal(info[0].As<Napi::Number>()));
}

Napi::Value disposition(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<int>(platform::disposition(info[0].As<Napi::Number>())));
}

// Who forgets the handle ignores them for ever, but not who never had it.
Napi::Value ignore_signals(const Napi::CallbackInfo& info) {
  auto ignored = std::make_unique<platform::SignalsIgnored>(set_of(info[0]));
  auto handle = Napi::External<platform::SignalsIgnored>::New(info.Env(), ignored.get());
  if (!handle.IsEmpty()) static_cast<void>(ignored.release());
  return handle;
}

void release_ignored(const Napi::CallbackInfo& info) {
  const std::unique_ptr<platform::SignalsIgnored> ignored{
      info[0].As<Napi::External<platform::SignalsIgnored>>().Data()};
}

// Owned by its handle.
class Hold {
 public:
  Hold(SignalSet signals, bool releases_at_end)
      : signals_(std::make_unique<platform::SignalHold>(signals)), releases_at_end_(releases_at_end) {}
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;
  // At the end of the main thread the process exits by its own code, and what is held is held for ever.
  ~Hold() {
    if (!releases_at_end_) static_cast<void>(signals_.release());
  }

  [[nodiscard]] int error() const { return signals_->error(); }
  void release() { signals_.reset(); }

 private:
  std::unique_ptr<platform::SignalHold> signals_;
  const bool releases_at_end_;
};

// (signals, releaseAtEnd)
Napi::Value hold_signals(const Napi::CallbackInfo& info) {
  auto hold = std::make_unique<Hold>(set_of(info[0]), info[1].As<Napi::Boolean>());
  if (const int error = hold->error(); error != 0) {
    hold->release();
    return Napi::Number::New(info.Env(), -error);
  }
  return owning_handle(info.Env(), std::move(hold));
}

void release_hold(const Napi::CallbackInfo& info) { info[0].As<Napi::External<Hold>>().Data()->release(); }

struct KeptAction {
  ActionKeeper keeper;
  napi_async_cleanup_hook_handle end = nullptr;
};

// (signal)
Napi::Value keep_action(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  auto* const kept = new KeptAction{.keeper{state_of(info).loop(), info[0].As<Napi::Number>()}};
  const auto close = [](napi_async_cleanup_hook_handle end, void* data) {
    auto* const it = static_cast<KeptAction*>(data);
    it->keeper.close([it, end] {
      delete it;
      napi_remove_async_cleanup_hook(end);
    });
  };
  napi_add_async_cleanup_hook(env, close, kept, &kept->end);
  return Napi::External<KeptAction>::New(env, kept);
}

void listeners_change(const Napi::CallbackInfo& info) {
  info[0].As<Napi::External<KeptAction>>().Data()->keeper.listeners_change();
}

void release_action(const Napi::CallbackInfo& info) {
  auto* const kept = info[0].As<Napi::External<KeptAction>>().Data();
  napi_remove_async_cleanup_hook(kept->end);
  kept->keeper.close([kept] { delete kept; });
}

Napi::Value array_of(Napi::Env env, const platform::Arrival& arrival) {
  Napi::Array array = Napi::Array::New(env);
  const auto add = [&](double value) { array.Set(array.Length(), value); };
  add(arrival.signal);
  add(arrival.sender);
  add(arrival.uid);
  add(arrival.is_of_kernel ? 1 : 0);
  return array;
}

// (signals, timeoutMs)
Napi::Value take_signal(const Napi::CallbackInfo& info) {
  return array_of(info.Env(), platform::take_signal(set_of(info[0]), info[1].As<Napi::Number>()));
}

// Owned by its handle, which `over` keeps: until the wait is finished, or its environment ends.
class Wait {
 public:
  Wait(Napi::Env env, const Napi::Function& over, bool passes_on_at_end)
      : env_(env),
        loop_(Napi::ThreadSafeFunction::New(env, over, "sigshield", 0, 1)),
        passes_on_at_end_(passes_on_at_end) {}
  Wait(const Wait&) = delete;
  Wait& operator=(const Wait&) = delete;
  ~Wait() {
    if (!signals_) return;
    napi_remove_env_cleanup_hook(env_, end, this);
    end(this);
  }

  // Returns 0 or an errno.
  int start(SignalSet signals, double timeout_ms, bool keeps_alive) {
    signals_ = std::make_unique<platform::SignalWait>(signals, timeout_ms, [this] { loop_.NonBlockingCall(); });
    if (!keeps_alive) loop_.Unref(env_);
    const int error = signals_->error();
    if (error == 0) {
      napi_add_env_cleanup_hook(env_, end, this);
    } else {
      signals_.reset();
      loop_.Release();
    }
    return error;
  }

  platform::Arrival finish() {
    napi_remove_env_cleanup_hook(env_, end, this);
    const platform::Arrival arrival = signals_->finish();
    close();
    return arrival;
  }

 private:
  // What was taken, and nobody is told of any more, goes on where the process does.
  static void end(void* wait) {
    auto& self = *static_cast<Wait*>(wait);
    if (!self.passes_on_at_end_) static_cast<void>(self.signals_->finish());
    self.close();
  }

  void close() {
    signals_.reset();
    loop_.Release();
  }

  Napi::Env env_;
  Napi::ThreadSafeFunction loop_;
  const bool passes_on_at_end_;
  std::unique_ptr<platform::SignalWait> signals_;
};

// (signals, timeoutMs, keepsAlive, passesOnAtEnd, over)
Napi::Value wait_for_signal(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  auto wait = std::make_unique<Wait>(env, info[4].As<Napi::Function>(), info[3].As<Napi::Boolean>());
  const int error = wait->start(set_of(info[0]), info[1].As<Napi::Number>(), info[2].As<Napi::Boolean>());
  if (error != 0) return Napi::Number::New(env, -error);
  return owning_handle(env, std::move(wait));
}

// (wait)
Napi::Value finish_wait(const Napi::CallbackInfo& info) {
  return array_of(info.Env(), info[0].As<Napi::External<Wait>>().Data()->finish());
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
  export_function<keep_action>(env, exports, "keepAction");
  export_function<listeners_change>(env, exports, "listenersChange");
  export_function<release_action>(env, exports, "releaseAction");
  export_function<take_signal>(env, exports, "takeSignal");
  export_function<wait_for_signal>(env, exports, "waitForSignal");
  export_function<finish_wait>(env, exports, "finishWait");
}

}  // namespace sigshield
