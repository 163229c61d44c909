#include "platform/linux/seccomp_filter.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

#include <cstddef>

namespace sigshield::platform {

namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#endif

// seccomp reads the arguments as 64-bit words in native order; all architectures here are little-endian.
constexpr std::uint32_t low_half(int argument) {
  return static_cast<std::uint32_t>(offsetof(seccomp_data, args) +
                                    sizeof(std::uint64_t) * static_cast<unsigned>(argument));
}
constexpr std::uint32_t high_half(int argument) { return low_half(argument) + sizeof(std::uint32_t); }

constexpr sock_filter load(std::size_t offset) {
  return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
}
constexpr sock_filter jump_if_equal(std::uint32_t value, std::size_t yes, std::size_t no) {
  return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, static_cast<std::uint8_t>(yes), static_cast<std::uint8_t>(no));
}
constexpr sock_filter answer(std::uint32_t action) { return BPF_STMT(BPF_RET | BPF_K, action); }

}  // namespace

SeccompFilter::SeccompFilter(SignalSet ignored) {
  std::vector<std::uint32_t> signals;
  for (int signal = 1; signal <= kLastSignal; ++signal) {
    if ((ignored & signal_bit(signal)) != 0) signals.push_back(static_cast<std::uint32_t>(signal));
  }
  if (signals.empty()) return;

  // The number first: the kernel runs the filter over every system call there is when it is installed, to learn which
  // it need not ask about, and all but one are decided here. Jumps count the instructions between; `allow` stands right
  // after the last comparison of a signal, `pretend` after that.
  const std::size_t count = signals.size();
  instructions_ = {
      load(offsetof(seccomp_data, nr)),
      jump_if_equal(SYS_rt_sigaction, 0, count + 7),
      load(offsetof(seccomp_data, arch)),
      jump_if_equal(kArchitecture, 0, count + 5),
      load(low_half(1)),
      jump_if_equal(0, 0, 2),
      load(high_half(1)),
      jump_if_equal(0, count + 1, 0),
      load(low_half(0)),
  };
  for (std::size_t i = 0; i < count; ++i) instructions_.push_back(jump_if_equal(signals[i], count - i, 0));
  instructions_.push_back(answer(SECCOMP_RET_ALLOW));
  instructions_.push_back(answer(SECCOMP_RET_ERRNO | 0));
  program_ = {static_cast<unsigned short>(instructions_.size()), instructions_.data()};
}

}  // namespace sigshield::platform
