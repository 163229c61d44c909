// The seccomp filter that keeps ignored signals ignored.
#pragma once

#include <linux/filter.h>

#include <vector>

#include "core/signal_set.h"

namespace sigshield {

// Answers rt_sigaction(signal in `ignored`, act != NULL) with success without doing it; queries and everything else
// pass, as do the system calls of other ABIs. The old action of a refused call is left as the caller had it.
class EnforceFilter {
 public:
  explicit EnforceFilter(SignalSet ignored);
  EnforceFilter(const EnforceFilter&) = delete;
  EnforceFilter& operator=(const EnforceFilter&) = delete;

  // Null when nothing is ignored.
  [[nodiscard]] const sock_fprog* program() const { return instructions_.empty() ? nullptr : &program_; }

 private:
  std::vector<sock_filter> instructions_;
  sock_fprog program_{};
};

}  // namespace sigshield
