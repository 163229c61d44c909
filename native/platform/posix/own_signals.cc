// The signals of this process itself. No thread is needed to keep them: the handler does.
#include "platform/own_signals.h"

#include <poll.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cmath>
#include <csignal>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "platform/platform.h"
#include "platform/posix/signal_layers.h"
#include "platform/posix/signal_sets.h"

namespace sigshield::platform {

namespace {

using Clock = std::chrono::steady_clock;
using Kind = SignalLayer::Kind;

void drain(const WakeUp& wake_up) {
  char bytes[64];
  static_cast<void>(read(wake_up.fd(), bytes, sizeof bytes) > 0);
}

// Until the layer has one of these, the time is over (infinite: never), or it is cancelled and woken: then what is
// there already still counts.
Arrival take_until(const SignalLayer& layer, SignalSet signals, const WakeUp& wake_up, double timeout_ms,
                   const std::atomic<bool>* is_cancelled = nullptr) {
  using std::chrono::milliseconds;
  const bool forever = std::isinf(timeout_ms);
  const auto deadline = Clock::now() + std::chrono::microseconds{forever ? 0 : std::llround(timeout_ms * 1000)};
  for (;;) {
    const bool is_over = (is_cancelled != nullptr && is_cancelled->load()) || (!forever && Clock::now() >= deadline);
    if (const Arrival arrival = layer.take(signals); arrival.signal != 0 || is_over) return arrival;
    const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now()).count();
    pollfd readable{.fd = wake_up.fd(), .events = POLLIN, .revents = 0};
    const int wait_ms = forever ? -1 : static_cast<int>(std::clamp<long long>(left, 0, INT_MAX));
    if (poll(&readable, 1, wait_ms) > 0) drain(wake_up);
  }
}

}  // namespace

SignalSet change_mask(MaskChange change, SignalSet signals) {
  constexpr int kChanges[] = {SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK};
  const sigset_t set = to_sigset(signals);
  sigset_t old;
  pthread_sigmask(kChanges[static_cast<int>(change)], &set, &old);
  return from_sigset(old);
}

void set_mask(SignalSet mask) { static_cast<void>(change_mask(MaskChange::kSet, mask)); }

int pending_signals(SignalSet& pending) {
  sigset_t set;
  if (sigpending(&set) != 0) return errno;
  pending = from_sigset(set);
  return 0;
}

int raise_signal(int signal) { return pthread_kill(pthread_self(), signal); }

Disposition disposition(int signal) {
  struct sigaction action{};
  sigaction(signal, nullptr, &action);
  if ((action.sa_flags & SA_SIGINFO) != 0) return Disposition::kHandled;
  if (action.sa_handler == SIG_DFL) return Disposition::kDefault;
  return action.sa_handler == SIG_IGN ? Disposition::kIgnored : Disposition::kHandled;
}

class SignalsIgnored::Implementation {
 public:
  explicit Implementation(SignalSet signals) : layer_(signals, Kind::kIgnores) {}

 private:
  const SignalLayer layer_;
};

SignalsIgnored::SignalsIgnored(SignalSet signals) : implementation_(std::make_unique<Implementation>(signals)) {}
SignalsIgnored::~SignalsIgnored() = default;

class SignalHold::Implementation {
 public:
  explicit Implementation(SignalSet signals) : layer_(signals, Kind::kKeeps) {}

 private:
  const SignalLayer layer_;
};

SignalHold::SignalHold(SignalSet signals) : implementation_(std::make_unique<Implementation>(signals)) {}
SignalHold::~SignalHold() = default;
// NOLINTNEXTLINE(readability-convert-member-functions-to-static): elsewhere it has something to tell.
int SignalHold::error() const { return 0; }

Arrival take_signal(SignalSet signals, double timeout_ms) {
  WakeUp wake_up;
  if (const Failure failure = wake_up.open()) return {.signal = -failure.error};
  Arrival arrival;
  // What is pending here reaches the handler now.
  SignalSet mask = 0;
  std::vector<int> of_this_thread;
  // Who takes these already goes on to.
  SignalSet of_others = 0;
  for (int signal = 1; signal <= kLastOwnSignal; ++signal) {
    if ((signals & signal_bit(signal)) != 0 && is_taken(signal)) of_others |= signal_bit(signal);
  }
  {
    const SignalLayer layer{signals, Kind::kKeeps, &wake_up};
    mask = change_mask(MaskChange::kUnblock, signals);
    arrival = take_until(layer, signals, wake_up, timeout_ms);
    set_mask(mask);
    // What this thread blocks anyway is pending in it, and no other thread's.
    const SignalSet own = signals & mask & ~of_others;
    for (Arrival left = layer.take(own); left.signal != 0; left = layer.take(own)) {
      of_this_thread.push_back(left.signal);
    }
  }
  for (const int signal : of_this_thread) static_cast<void>(raise_signal(signal));
  return arrival;
}

// A thread of its own waits. It runs no handler but ours, which it blocks again before that goes.
class SignalWait::Implementation {
 public:
  Implementation(SignalSet signals, double timeout_ms, std::function<void()> over)
      : signals_(signals), timeout_ms_(timeout_ms), over_(std::move(over)), error_(start()) {}

  ~Implementation() {
    end();
    if (arrival_.signal > 0) come_again(arrival_.signal);
  }
  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;

  [[nodiscard]] int error() const { return error_; }

  Arrival finish() {
    end();
    return std::exchange(arrival_, {});
  }

 private:
  int start() {
    if (const Failure failure = wake_up_.open()) return failure.error;
    layer_.emplace(signals_, Kind::kKeeps, &wake_up_);
    const SignalsBlocked blocked{kProgramSignals};
    const auto run = [](void* self) { static_cast<Implementation*>(self)->run(); };
    const int error = -uv_thread_create(&thread_, run, this);
    if (error != 0) layer_.reset();
    return error;
  }

  void run() {
    // Where all threads block one of them, it comes here.
    static_cast<void>(change_mask(MaskChange::kUnblock, signals_));
    arrival_ = take_until(*layer_, signals_, wake_up_, timeout_ms_, &is_cancelled_);
    set_mask(kProgramSignals);
    layer_.reset();
    bool was_cancelled = false;
    {
      const std::lock_guard guard{mutex_};
      is_over_ = true;
      was_cancelled = is_cancelled_;
    }
    if (!was_cancelled) over_();
  }

  void end() {
    if (error_ != 0 || is_joined_) return;
    {
      const std::lock_guard guard{mutex_};
      is_cancelled_ = true;
      if (!is_over_) wake_up_.send();
    }
    uv_thread_join(&thread_);
    is_joined_ = true;
  }

  const SignalSet signals_;
  const double timeout_ms_;
  const std::function<void()> over_;
  WakeUp wake_up_;
  std::optional<SignalLayer> layer_;
  std::mutex mutex_;
  std::atomic<bool> is_cancelled_{false};
  bool is_over_ = false;
  bool is_joined_ = false;
  Arrival arrival_;
  uv_thread_t thread_{};
  const int error_;
};

SignalWait::SignalWait(SignalSet signals, double timeout_ms, std::function<void()> over)
    : implementation_(std::make_unique<Implementation>(signals, timeout_ms, std::move(over))) {}
SignalWait::~SignalWait() = default;
int SignalWait::error() const { return implementation_->error(); }
Arrival SignalWait::finish() { return implementation_->finish(); }

}  // namespace sigshield::platform
