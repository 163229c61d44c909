#include "platform/linux/seccomp_filter.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <utility>

#include "platform/linux/kernel_text.h"
#include "platform/linux/raw_syscall.h"

namespace sigshield::platform {

namespace {

// Calls that change a disposition, by the architecture and the number that the kernel tells a filter. It takes those of
// another ABI of its machine from any program. 0: there is none, as that number is another call's.
struct Abi {
  std::uint32_t architecture;
  std::uint32_t rt_sigaction;
  std::uint32_t sigaction;
  std::uint32_t signal;
};

#if defined(__x86_64__)
constexpr Abi kNative{AUDIT_ARCH_X86_64, SYS_rt_sigaction, 0, 0};
// The same architecture, told by the number alone. Whether the kernel has it is not asked: a policy may end who calls
// it (SystemCallArchitectures= of systemd.exec(5)).
constexpr std::uint32_t kX32Sigaction = 0x4000'0000 | 512;
constexpr Abi kCompat{AUDIT_ARCH_I386, 174, 67, 48};
#elif defined(__aarch64__)
constexpr Abi kNative{AUDIT_ARCH_AARCH64, SYS_rt_sigaction, 0, 0};
constexpr std::uint32_t kX32Sigaction = 0;
constexpr Abi kCompat{AUDIT_ARCH_ARM, 174, 67, 0};
#endif
static_assert(kNative.rt_sigaction < kCompat.rt_sigaction);

// seccomp reads the arguments as 64-bit words in native order; all architectures here are little-endian.
constexpr std::uint32_t low_half(int argument) {
  return static_cast<std::uint32_t>(offsetof(seccomp_data, args) +
                                    sizeof(std::uint64_t) * static_cast<unsigned>(argument));
}
constexpr std::uint32_t high_half(int argument) { return low_half(argument) + sizeof(std::uint32_t); }

// Where a jump may go.
enum Label : std::uint8_t {
  kNext,
  kMiddleNumber,
  kHighNumber,
  kNativeCall,
  kCompatCall,
  kCompatSignalCall,
  kSignal,
  kPretend,
  kAllow,
  kLabelCount
};

// Writes a filter; a jump goes forward only, to where a label is put later.
class Assembler {
 public:
  void put(Label label) { positions_[label] = code_.size(); }
  void load(std::size_t offset) {
    code_.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset)));
  }
  void answer(std::uint32_t action) { code_.push_back(BPF_STMT(BPF_RET | BPF_K, action)); }
  void if_equal(std::uint32_t value, Label yes, Label no) { jump(BPF_JEQ, value, yes, no); }
  void if_above(std::uint32_t value, Label yes, Label no) { jump(BPF_JGT, value, yes, no); }

  // The labels become distances.
  std::vector<sock_filter> finished() {
    for (std::size_t i = 0; i < code_.size(); ++i) {
      if (BPF_CLASS(code_[i].code) != BPF_JMP) continue;
      code_[i].jt = distance(i, code_[i].jt);
      code_[i].jf = distance(i, code_[i].jf);
    }
    return std::move(code_);
  }

 private:
  void jump(int condition, std::uint32_t value, Label yes, Label no) {
    code_.push_back(BPF_JUMP(static_cast<std::uint16_t>(BPF_JMP | condition | BPF_K), value, yes, no));
  }
  [[nodiscard]] std::uint8_t distance(std::size_t from, std::uint8_t label) const {
    return label == kNext ? 0 : static_cast<std::uint8_t>(positions_.at(label) - from - 1);
  }

  std::vector<sock_filter> code_;
  std::array<std::size_t, kLabelCount> positions_{};
};

// Every signal that a policy can be asked about: SIGKILL and SIGSTOP have no disposition.
bool has_disposition(int signal) { return signal != SIGKILL && signal != SIGSTOP; }

// The kernel reads the action before it does anything: one that can't be read changes nothing, and is EFAULT unless a
// filter answers first.
bool is_answered(long signal) {
  const long nowhere = -1;
  return raw_syscall(SYS_rt_sigaction, signal, nowhere, nullptr, sizeof(SignalSet)) == 0;
}

// Before Linux 5.16 a filter takes from its process what makes stores fast, for good, unless a flag of seccomp(2) says
// that it need not (PR_SET_SPECULATION_CTRL(2const)). Who has lost it already has nothing to lose.
bool prctl_slows_down() {
  if (!is_before_linux_5_16()) return false;
  return raw_syscall(SYS_prctl, PR_GET_SPECULATION_CTRL, PR_SPEC_STORE_BYPASS, 0, 0, 0) ==
         (PR_SPEC_PRCTL | PR_SPEC_ENABLE);
}

FiltersInForce ask_filters() {
  FiltersInForce found{};
  // Any other answer, an error too: there may be filters.
  if (raw_syscall(SYS_prctl, PR_GET_SECCOMP, 0, 0, 0, 0) == SECCOMP_MODE_DISABLED) return found;
  found.by_prctl = !prctl_slows_down();
  for (int signal = 1; signal <= kLastSignal; ++signal) {
    if (!has_disposition(signal) || !is_answered(signal)) continue;
    found.enforced |= signal_bit(signal);
    if (is_answered(kKeyed | signal)) found.immovable |= signal_bit(signal);
  }
  return found;
}

}  // namespace

SeccompFilter::SeccompFilter(SignalSet ignored) {
  if (ignored == 0) return;
  Assembler code;
  // The number first, and the most numbers at once: the kernel runs the filter over every call of each ABI when it is
  // installed, to learn which it need not ask about.
  code.load(offsetof(seccomp_data, nr));
  code.if_above(kCompat.rt_sigaction, kX32Sigaction != 0 ? kHighNumber : kAllow, kNext);
  code.if_above(kCompat.sigaction, kMiddleNumber, kNext);
  code.if_equal(kCompat.sigaction, kCompatCall, kNext);
  if (kNative.rt_sigaction < kCompat.sigaction) code.if_equal(kNative.rt_sigaction, kNativeCall, kNext);
  if (kCompat.signal != 0) code.if_equal(kCompat.signal, kCompatSignalCall, kNext);
  code.answer(SECCOMP_RET_ALLOW);
  code.put(kMiddleNumber);
  if (kNative.rt_sigaction > kCompat.sigaction) code.if_equal(kNative.rt_sigaction, kNativeCall, kNext);
  code.if_equal(kCompat.rt_sigaction, kCompatCall, kAllow);
  code.put(kHighNumber);
  if (kX32Sigaction != 0) code.if_equal(kX32Sigaction, kNativeCall, kAllow);

  code.put(kCompatCall);
  code.load(offsetof(seccomp_data, arch));
  code.if_equal(kCompat.architecture, kNext, kAllow);
  code.load(low_half(1));
  code.if_equal(0, kAllow, kSignal);

  code.put(kCompatSignalCall);
  code.load(offsetof(seccomp_data, arch));
  code.if_equal(kCompat.architecture, kSignal, kAllow);

  code.put(kNativeCall);
  code.load(offsetof(seccomp_data, arch));
  code.if_equal(kNative.architecture, kNext, kAllow);
  code.load(high_half(0));
  code.if_equal(kChildHalfKey, kAllow, kNext);
  code.load(low_half(1));
  code.if_equal(0, kNext, kSignal);
  code.load(high_half(1));
  code.if_equal(0, kAllow, kSignal);

  code.put(kSignal);
  code.load(low_half(0));
  for (int signal = 1; signal <= kLastSignal; ++signal) {
    if ((ignored & signal_bit(signal)) != 0) code.if_equal(static_cast<std::uint32_t>(signal), kPretend, kNext);
  }
  code.put(kAllow);
  code.answer(SECCOMP_RET_ALLOW);
  code.put(kPretend);
  code.answer(SECCOMP_RET_ERRNO | 0);
  instructions_ = code.finished();
  program_ = {static_cast<unsigned short>(instructions_.size()), instructions_.data()};
}

const FiltersInForce& filters_in_force() {
  static const FiltersInForce found = ask_filters();
  return found;
}

}  // namespace sigshield::platform
