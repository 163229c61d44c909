// Who takes a signal of this process for the time being, in place of the action that was there.
#pragma once

#include <sys/types.h>

#include <csignal>
#include <functional>

#include "core/signal_set.h"

namespace sigshield::platform {

// One of those who do, for the life of the object. The last one of a signal is the one who takes it.
class SignalLayer {
 public:
  // `taker`: the thread that signals go to; it blocks them, and kWakeSignal. 0: they are ignored. `overlaid` is called
  // when another thread takes them from now on: what has come so far is to be forwarded before it returns.
  SignalLayer(SignalSet signals, pid_t taker, std::function<void()> overlaid = nullptr);
  // From its end on no signal is on the way to the taker.
  ~SignalLayer();
  SignalLayer(const SignalLayer&) = delete;
  SignalLayer& operator=(const SignalLayer&) = delete;

  [[nodiscard]] pid_t taker() const { return taker_; }
  void tell_overlaid() const {
    if (overlaid_) overlaid_();
  }

 private:
  const SignalSet signals_;
  const pid_t taker_;
  const std::function<void()> overlaid_;
};

// Tells a taker to look at what it waits for. It is none of the signals that may be taken. A standard signal: the
// kernel's limit for queued ones (RLIMIT_SIGPENDING) never keeps it away.
constexpr int kWakeSignal = SIGSYS;

void wake(pid_t thread);

// Sends it to who takes it now, else to the process.
void forward(const siginfo_t& info);

// Also when it was forwarded.
bool is_of_kernel(const siginfo_t& info);

// One of these that the kernel had no room to queue for this taker (RLIMIT_SIGPENDING), or 0.
int take_unqueued(SignalSet signals, pid_t taker);

// Those of these that another than this thread takes now.
SignalSet taken_by_others(SignalSet signals, pid_t thread);

}  // namespace sigshield::platform
