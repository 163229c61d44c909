// What keeps signals, and what waits for them: a thread of its own for each.
#include <uv.h>

#include <atomic>
#include <mutex>
#include <optional>
#include <semaphore>
#include <utility>

#include "platform/linux/signal_layers.h"
#include "platform/linux/signal_taking.h"
#include "platform/own_signals.h"
#include "platform/platform.h"

namespace sigshield::platform {

namespace {

// It handles no signal of the program, so what is sent to it waits.
class SignalThread {
 public:
  // Returns when `run` has called ready().
  explicit SignalThread(std::function<void()> run) : run_(std::move(run)), error_(start()) {
    if (error_ == 0) is_ready_.acquire();
  }
  // Joins: what `run` waits for must have come.
  ~SignalThread() { join(); }
  SignalThread(const SignalThread&) = delete;
  SignalThread& operator=(const SignalThread&) = delete;

  // 0 or an errno.
  [[nodiscard]] int error() const { return error_; }
  [[nodiscard]] pid_t id() const { return id_; }
  void ready() { is_ready_.release(); }

  void join() {
    if (error_ != 0 || is_joined_) return;
    uv_thread_join(&thread_);
    is_joined_ = true;
  }

 private:
  int start() {
    const SignalsBlocked blocked{kProgramSignals};
    const auto run = [](void* it) {
      auto* const self = static_cast<SignalThread*>(it);
      self->id_ = this_thread();
      self->run_();
    };
    return -uv_thread_create(&thread_, run, this);
  }

  const std::function<void()> run_;
  pid_t id_ = 0;
  std::binary_semaphore is_ready_{0};
  bool is_joined_ = false;
  uv_thread_t thread_{};
  const int error_;
};

}  // namespace

// The thread is where the kernel keeps what is held.
class SignalHold::Implementation {
 public:
  explicit Implementation(SignalSet signals) : signals_(signals), thread_([this] { run(); }) {
    if (error() != 0) return;
    layer_.emplace(signals_, thread_.id(), [this] {
      wake_.release();
      has_handed_over_.acquire();
    });
  }

  ~Implementation() {
    layer_.reset();
    is_over_.store(true);
    wake_.release();
  }
  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;

  [[nodiscard]] int error() const { return thread_.error(); }

 private:
  void run() {
    thread_.ready();
    for (;;) {
      wake_.acquire();
      const bool is_over = is_over_.load();
      forward_all(take_pending(is_over ? signals_ : taken_by_others(signals_, this_thread())));
      if (is_over) return;
      has_handed_over_.release();
    }
  }

  const SignalSet signals_;
  std::atomic<bool> is_over_{false};
  std::binary_semaphore wake_{0};
  std::binary_semaphore has_handed_over_{0};
  std::optional<SignalLayer> layer_;
  SignalThread thread_;
};

SignalHold::SignalHold(SignalSet signals) : implementation_(std::make_unique<Implementation>(signals)) {}
SignalHold::~SignalHold() = default;
int SignalHold::error() const { return implementation_->error(); }

class SignalWait::Implementation {
 public:
  Implementation(SignalSet signals, double timeout_ms, std::function<void()> over)
      : signals_(signals), timeout_ms_(timeout_ms), over_(std::move(over)), thread_([this] { run(); }) {}

  ~Implementation() {
    end();
    if (signal_ > 0) forward(info_);
  }
  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;

  [[nodiscard]] int error() const { return thread_.error(); }

  Arrival finish() {
    end();
    return arrival_of(std::exchange(signal_, 0), info_);
  }

 private:
  void run() {
    {
      const SignalLayer layer{signals_, this_thread()};
      thread_.ready();
      signal_ = take_signal_until(signals_, info_, timeout_ms_, &is_cancelled_);
    }
    forward_all(take_pending(signals_));
    bool was_cancelled = false;
    {
      const std::lock_guard guard{mutex_};
      is_over_ = true;
      was_cancelled = is_cancelled_;
    }
    if (!was_cancelled) over_();
  }

  void end() {
    if (error() != 0) return;
    {
      const std::lock_guard guard{mutex_};
      is_cancelled_ = true;
      // Its number may be another thread's by then.
      if (!is_over_) wake(thread_.id());
    }
    thread_.join();
  }

  const SignalSet signals_;
  const double timeout_ms_;
  const std::function<void()> over_;
  std::mutex mutex_;
  std::atomic<bool> is_cancelled_{false};
  bool is_over_ = false;
  int signal_ = 0;
  siginfo_t info_{};
  SignalThread thread_;
};

SignalWait::SignalWait(SignalSet signals, double timeout_ms, std::function<void()> over)
    : implementation_(std::make_unique<Implementation>(signals, timeout_ms, std::move(over))) {}
SignalWait::~SignalWait() = default;
int SignalWait::error() const { return implementation_->error(); }
Arrival SignalWait::finish() { return implementation_->finish(); }

}  // namespace sigshield::platform
