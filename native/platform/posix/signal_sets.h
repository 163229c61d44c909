// Our sets of signals as libc's.
#pragma once

#include <csignal>

#include "core/signal_set.h"

namespace sigshield::platform {

// The last signal that this system has.
constexpr int kLastOwnSignal = NSIG - 1;

inline sigset_t to_sigset(SignalSet signals) {
  sigset_t set;
  sigemptyset(&set);
  for (int signal = 1; signal <= kLastOwnSignal; ++signal) {
    // What libc keeps for itself it leaves out.
    if ((signals & signal_bit(signal)) != 0) sigaddset(&set, signal);
  }
  return set;
}

inline SignalSet from_sigset(const sigset_t& set) {
  SignalSet signals = 0;
  for (int signal = 1; signal <= kLastOwnSignal; ++signal) {
    if (sigismember(&set, signal) == 1) signals |= signal_bit(signal);
  }
  return signals;
}

}  // namespace sigshield::platform
