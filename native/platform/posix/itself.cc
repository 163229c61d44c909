// This process itself: what of it a system without clone(2) and prctl(2) can do.
#include <sys/resource.h>

#include <cerrno>
#include <csignal>

#include "core/guard.h"
#include "core/signal_set.h"
#include "platform/platform.h"

namespace sigshield::platform {

void end_by(int signal) {
  const rlimit none{};
  setrlimit(RLIMIT_CORE, &none);
  // A guard would answer in place of the system.
  lift_guard(kAllSignals);
  struct sigaction action{};
  action.sa_handler = SIG_DFL;
  sigaction(signal, &action, nullptr);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  static_cast<void>(raise(signal));
}

Failure adopt_orphans() { return {Step::kPrctl, ENOTSUP}; }

}  // namespace sigshield::platform
