#include "platform/own_signals.h"

#include <csignal>

#include "platform/linux/raw_syscall.h"
#include "platform/linux/signal_action.h"
#include "platform/linux/signal_layers.h"
#include "platform/linux/signal_taking.h"

namespace sigshield::platform {

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

int pending_signals(SignalSet& pending) {
  return static_cast<int>(-raw_syscall(SYS_rt_sigpending, &pending, sizeof(SignalSet)));
}

int raise_signal(int signal) {
  const long self = raw_syscall(SYS_getpid);
  return static_cast<int>(-raw_syscall(SYS_tgkill, self, this_thread(), signal));
}

Disposition disposition(int signal) {
  const unsigned long handler = exchange_action(signal, nullptr).handler;
  if (handler == reinterpret_cast<unsigned long>(SIG_DFL)) return Disposition::kDefault;
  return handler == reinterpret_cast<unsigned long>(SIG_IGN) ? Disposition::kIgnored : Disposition::kHandled;
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
  const SignalSet mask = change_mask(MaskChange::kBlock, signals | signal_bit(kWakeSignal));
  siginfo_t info{};
  int signal = 0;
  {
    const SignalLayer layer{signals, this_thread()};
    signal = take_signal_until(signals, info, timeout_ms);
  }
  discard_wake_ups();
  // What has come meanwhile goes on as it would have; what was sent to this very thread stays in it where that blocks
  // it.
  for (const siginfo_t& one : take_pending(signals)) {
    const bool stays = one.si_code == SI_TKILL && (mask & signal_bit(one.si_signo)) != 0;
    stays ? put_back(one) : forward(one);
  }
  set_mask(mask);
  return arrival_of(signal, info);
}

}  // namespace sigshield::platform
