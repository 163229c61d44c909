// Sets of signals in the kernel's own layout, and the calling thread's mask.
#pragma once

#include <cstdint>

namespace sigshield {

// Bit n-1 stands for signal n, as in the kernel's sigset_t. libc's own sets hide the signals it keeps for itself.
using SignalSet = std::uint64_t;

constexpr int kLastSignal = 64;

[[gnu::always_inline]] constexpr SignalSet signal_bit(int signal) { return SignalSet{1} << (signal - 1); }

constexpr SignalSet kAllSignals = ~SignalSet{0};

// All that a program can handle. A thread of ours takes none of these: the program's handlers belong on the program's
// threads. But it must take the two that libc keeps for itself: setuid(2) waits for every thread to do so (nptl(7)).
constexpr SignalSet kProgramSignals = kAllSignals & ~signal_bit(32) & ~signal_bit(33);

// Blocks these signals, and no others, in the calling thread for the life of the object, then restores exactly the mask
// that was there. Threads that start meanwhile inherit it.
class SignalsBlocked {
 public:
  explicit SignalsBlocked(SignalSet signals);
  ~SignalsBlocked();
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  SignalSet saved_ = 0;
};

}  // namespace sigshield
