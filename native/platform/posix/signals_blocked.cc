#include "platform/platform.h"
#include "platform/posix/signal_sets.h"

namespace sigshield::platform {

SignalsBlocked::SignalsBlocked(SignalSet signals) {
  const sigset_t wanted = to_sigset(signals);
  sigset_t found;
  pthread_sigmask(SIG_SETMASK, &wanted, &found);
  saved_ = from_sigset(found);
}

SignalsBlocked::~SignalsBlocked() {
  const sigset_t saved = to_sigset(saved_);
  pthread_sigmask(SIG_SETMASK, &saved, nullptr);
}

}  // namespace sigshield::platform
