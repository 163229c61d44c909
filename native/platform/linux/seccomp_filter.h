// The seccomp filter that keeps ignored signals ignored.
//
// It is no security boundary. It guards against programs that reset signals as a matter of course, as Node and shells
// do, not against one that means to get at them: such a program can read the key below, block a signal and take it by
// sigwait(3) or signalfd(2), or wait for a thread of a process that is not filtered.
#pragma once

#include <linux/filter.h>

#include <vector>

#include "core/signal_set.h"

namespace sigshield::platform {

// The kernel takes a signal number as an int and does not look at the upper half of its register, which the filter
// sees. Our own child half puts this there, and every filter of ours lets it through: so an explicit start can set any
// disposition under the filters that it inherits. System calls of 32 bits have no upper half.
constexpr std::uint32_t kChildHalfKey = 0x7369'6773;
constexpr long kKeyed = static_cast<long>(std::uint64_t{kChildHalfKey} << 32);

// The signal as rt_sigaction(2) takes it past filters that answer for `enforced`. The key is for those alone: a
// stranger's policy may compare the whole register.
constexpr long number_past(SignalSet enforced, int signal) {
  return (enforced & signal_bit(signal)) != 0 ? kKeyed | signal : signal;
}

// Answers a system call that would change the disposition of a signal in `ignored` with success, without doing it. The
// other ABIs of the machine are covered too. Queries and all else pass. The old action of a call that is answered is
// left as the caller had it: a filter can't write memory.
class SeccompFilter {
 public:
  explicit SeccompFilter(SignalSet ignored);
  SeccompFilter(const SeccompFilter&) = delete;
  SeccompFilter& operator=(const SeccompFilter&) = delete;

  // Null when nothing is ignored.
  [[nodiscard]] const sock_fprog* program() const { return instructions_.empty() ? nullptr : &program_; }

 private:
  std::vector<sock_filter> instructions_;
  sock_fprog program_{};
};

// What the filters do that this process has inherited, whoever wrote them.
struct FiltersInForce {
  // There may be some, which may end who calls seccomp(2): another is installed by prctl(2).
  bool by_prctl = false;
  // Changing these does nothing.
  SignalSet enforced = 0;
  // Not for our child half either: the filter is another's, or of a sigshield without the key.
  SignalSet immovable = 0;
};

// Asked once in a process. Filters that it installs itself later are not seen.
const FiltersInForce& filters_in_force();

}  // namespace sigshield::platform
