#include "platform/own_signals.h"

#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <csignal>
#include <ctime>
#include <mutex>
#include <optional>
#include <semaphore>
#include <utility>

#include "platform/linux/raw_syscall.h"
#include "platform/linux/signal_layers.h"
#include "platform/platform.h"

namespace sigshield::platform {

namespace {

pid_t this_thread() { return static_cast<pid_t>(raw_syscall(SYS_gettid)); }

void forward_all(const std::vector<siginfo_t>& taken) {
  for (const siginfo_t& info : taken) forward(info);
}

// A thread that handles no signal of the program. Returns 0 or an errno.
template <typename Self>
int start_thread(uv_thread_t& thread, Self* self) {
  const SignalsBlocked blocked{kProgramSignals};
  return -uv_thread_create(&thread, [](void* it) { static_cast<Self*>(it)->run(); }, self);
}

timespec time_until(std::chrono::steady_clock::time_point deadline) {
  using std::chrono::duration_cast, std::chrono::nanoseconds, std::chrono::seconds;
  const auto left = std::max(nanoseconds{0}, duration_cast<nanoseconds>(deadline - std::chrono::steady_clock::now()));
  const auto whole = duration_cast<seconds>(left);
  return {.tv_sec = whole.count(), .tv_nsec = static_cast<long>((left - whole).count())};
}

// Whatever else interrupts it.
int wait_for_signal_until(SignalSet signals, siginfo_t& info, double timeout_ms) {
  const bool forever = std::isinf(timeout_ms);
  const auto start = std::chrono::steady_clock::now();
  const std::chrono::microseconds limit{forever ? 0 : std::llround(timeout_ms * 1000)};
  for (;;) {
    const timespec time = time_until(start + limit);
    const int signal = wait_for_signal(signals, info, forever ? nullptr : &time);
    if (signal != -EINTR) return signal;
  }
}

Arrival arrival(int signal, const siginfo_t& info) {
  if (signal <= 0) return {};
  // Elsewhere the fields mean something else (sigaction(2)).
  const bool has_sender = info.si_code == SI_USER || info.si_code == SI_QUEUE || info.si_code == SI_TKILL;
  if (!has_sender) return {.signal = signal};
  return {.signal = signal, .sender = info.si_pid, .uid = info.si_uid};
}

}  // namespace

SignalSet change_mask(MaskChange change, SignalSet signals) {
  SignalSet old = 0;
  raw_syscall(SYS_rt_sigprocmask, SIG_BLOCK, nullptr, &old, sizeof(SignalSet));
  const SignalSet changed = signals & kProgramSignals;
  switch (change) {
    case MaskChange::kBlock:
      set_mask(old | changed);
      break;
    case MaskChange::kUnblock:
      set_mask(old & ~changed);
      break;
    case MaskChange::kSet:
      set_mask((old & ~kProgramSignals) | changed);
      break;
  }
  return old;
}

void set_mask(SignalSet mask) { raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, nullptr, sizeof(SignalSet)); }

SignalSet pending_signals() {
  SignalSet pending = 0;
  raw_syscall(SYS_rt_sigpending, &pending, sizeof(SignalSet));
  return pending;
}

class SignalsIgnored::Implementation {
 public:
  explicit Implementation(SignalSet signals) : layer_(signals, 0) {}

 private:
  const SignalLayer layer_;
};

SignalsIgnored::SignalsIgnored(SignalSet signals) : implementation_(std::make_unique<Implementation>(signals)) {}
SignalsIgnored::~SignalsIgnored() = default;

Arrival take_signal(SignalSet signals, double timeout_ms) {
  const SignalSet mask = change_mask(MaskChange::kBlock, signals);
  siginfo_t info{};
  int signal = 0;
  {
    const SignalLayer layer{signals, this_thread()};
    signal = wait_for_signal_until(signals, info, timeout_ms);
  }
  // What has come meanwhile goes on as it would have; what this thread blocks anyway is pending in it.
  forward_all(take_pending(signals & ~mask));
  set_mask(mask);
  return arrival(signal, info);
}

// The thread is where the kernel keeps what is held.
class SignalHold::Implementation {
 public:
  explicit Implementation(SignalSet signals) : signals_(signals), error_(start_thread(thread_, this)) {
    if (error_ != 0) return;
    is_ready_.acquire();
    layer_.emplace(signals_, id_, [this] {
      wake_.release();
      has_handed_over_.acquire();
    });
  }

  ~Implementation() {
    if (error_ != 0) return;
    layer_.reset();
    is_over_.store(true);
    wake_.release();
    uv_thread_join(&thread_);
  }
  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;

  [[nodiscard]] int error() const { return error_; }

  void run() {
    id_ = this_thread();
    is_ready_.release();
    for (;;) {
      wake_.acquire();
      const bool is_over = is_over_.load();
      forward_all(take_pending(is_over ? signals_ : taken_by_others(signals_, id_)));
      if (is_over) return;
      has_handed_over_.release();
    }
  }

 private:
  const SignalSet signals_;
  pid_t id_ = 0;
  std::atomic<bool> is_over_{false};
  std::binary_semaphore is_ready_{0};
  std::binary_semaphore wake_{0};
  std::binary_semaphore has_handed_over_{0};
  std::optional<SignalLayer> layer_;
  uv_thread_t thread_{};
  const int error_;
};

SignalHold::SignalHold(SignalSet signals) : implementation_(std::make_unique<Implementation>(signals)) {}
SignalHold::~SignalHold() = default;
int SignalHold::error() const { return implementation_->error(); }

class SignalWait::Implementation {
 public:
  Implementation(SignalSet signals, double timeout_ms, std::function<void(Arrival)> done)
      : signals_(signals), timeout_ms_(timeout_ms), done_(std::move(done)), error_(start_thread(thread_, this)) {
    if (error_ != 0) return;
    is_ready_.acquire();
  }

  ~Implementation() {
    if (error_ != 0) return;
    // Who lets the kernel ignore the signal takes away what is pending, the wake-up too (sigaction(2)).
    constexpr auto kAgain = std::chrono::milliseconds{10};
    do wake();
    while (!is_awake_.try_acquire_for(kAgain));
    uv_thread_join(&thread_);
  }
  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;

  [[nodiscard]] int error() const { return error_; }

  void run() {
    id_ = this_thread();
    siginfo_t info{};
    int signal = 0;
    {
      const SignalLayer layer{signals_, id_};
      is_ready_.release();
      signal = wait_for_signal_until(signals_, info, timeout_ms_);
    }
    bool was_cancelled = false;
    {
      const std::lock_guard guard{mutex_};
      is_over_ = true;
      was_cancelled = is_cancelled_;
    }
    is_awake_.release();
    if (was_cancelled && signal > 0 && !is_wake_up(info)) forward(info);
    std::vector<siginfo_t> left = take_pending(signals_);
    std::erase_if(left, [this](const siginfo_t& one) { return is_wake_up(one); });
    forward_all(left);
    if (!was_cancelled) done_(arrival(signal, info));
  }

 private:
  // A signal is all that wakes the thread: one of those it waits for, with a mark.
  void wake() {
    const std::lock_guard guard{mutex_};
    is_cancelled_ = true;
    if (is_over_) return;
    siginfo_t info{};
    info.si_code = SI_QUEUE;
    info.si_value.sival_ptr = this;
    raw_syscall(SYS_rt_tgsigqueueinfo, raw_syscall(SYS_getpid), id_, std::countr_zero(signals_) + 1, &info);
  }

  [[nodiscard]] bool is_wake_up(const siginfo_t& info) const {
    return info.si_code == SI_QUEUE && info.si_value.sival_ptr == this;
  }

  const SignalSet signals_;
  const double timeout_ms_;
  const std::function<void(Arrival)> done_;
  pid_t id_ = 0;
  std::binary_semaphore is_ready_{0};
  std::binary_semaphore is_awake_{0};
  std::mutex mutex_;
  bool is_over_ = false;
  bool is_cancelled_ = false;
  uv_thread_t thread_{};
  const int error_;
};

SignalWait::SignalWait(SignalSet signals, double timeout_ms, std::function<void(Arrival)> done)
    : implementation_(std::make_unique<Implementation>(signals, timeout_ms, std::move(done))) {}
SignalWait::~SignalWait() = default;
int SignalWait::error() const { return implementation_->error(); }

}  // namespace sigshield::platform
