// Taking signals in the thread that they go to.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <csignal>
#include <vector>

#include "core/signal_set.h"
#include "platform/own_signals.h"

namespace sigshield::platform {

pid_t this_thread();

// All that is pending of these in the calling thread, or in the process.
std::vector<siginfo_t> take_pending(SignalSet signals);

// To the calling thread, which blocks it, with the sender that it had.
void put_back(const siginfo_t& info);

void forward_all(const std::vector<siginfo_t>& taken);

// Waits, in a thread that blocks them and kWakeSignal, until one of these comes, until the time is over (infinite:
// never), or until the thread is woken and `is_cancelled`: then what is pending still counts. Returns the signal, 0 for
// none, or a negative errno.
int take_signal_until(SignalSet signals, siginfo_t& info, double timeout_ms,
                      const std::atomic<bool>* is_cancelled = nullptr);

// What has woken the calling thread too late to be seen.
void discard_wake_ups();

Arrival arrival_of(int signal, const siginfo_t& info);

}  // namespace sigshield::platform
