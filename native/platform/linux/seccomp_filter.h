// The seccomp filter that keeps ignored signals ignored.
#pragma once

#include <linux/filter.h>

#include <vector>

#include "core/signal_set.h"

namespace sigshield::platform {

// Answers rt_sigaction(signal in `ignored`, act != NULL) with success without doing it; queries and everything else
// pass, as do the system calls of other ABIs. The old action of a refused call is left as the caller had it.
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

}  // namespace sigshield::platform
