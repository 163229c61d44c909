// Sets of signals, in the kernel's own layout.
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

}  // namespace sigshield
