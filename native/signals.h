// Sets of signals in the kernel's own layout, and the calling thread's mask.
#pragma once

#include <cstdint>

namespace sigshield {

// Bit n-1 stands for signal n, as in the kernel's sigset_t. libc's own sets hide the signals it keeps for itself.
using SignalSet = std::uint64_t;

constexpr int kLastSignal = 64;

[[gnu::always_inline]] constexpr SignalSet signal_bit(int signal) { return SignalSet{1} << (signal - 1); }

// Blocks every signal in the calling thread for the life of the object, then restores exactly the mask that was there.
class AllSignalsBlocked {
 public:
  AllSignalsBlocked();
  ~AllSignalsBlocked();
  AllSignalsBlocked(const AllSignalsBlocked&) = delete;
  AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;

 private:
  SignalSet saved_ = 0;
};

}  // namespace sigshield
