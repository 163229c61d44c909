// This process becomes another program: by what the exec helper does, without one.
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <vector>

#include "core/guard.h"
#include "platform/platform.h"
#include "platform/posix/become.h"
#include "platform/posix/plan_numbers.h"
#include "platform/posix/signal_sets.h"
#include "platform/posix/system.h"

namespace sigshield::platform {

namespace {

// In one pass, as what another thread of this process takes meanwhile must meet what the program is to start with.
void set_actions(SignalSet ignored) {
  for (int signal = 1; signal <= kLastOwnSignal; ++signal) {
    struct sigaction action{};
    action.sa_handler = (ignored & signal_bit(signal)) != 0 ? SIG_IGN : SIG_DFL;
    // EINVAL for those that can't be changed, which are as they are to be.
    sigaction(signal, &action, nullptr);
  }
}

// EBADF is as good: what is not open is not inherited.
void set_close_on_exec(int fd, bool on) { fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0); }

void keep_descriptors(const StartPlan& plan) {
  const std::vector<int> kept(plan.descriptors, plan.descriptors + plan.descriptor_count);
  const std::unique_ptr<DIR, int (*)(DIR*)> open{opendir("/dev/fd"), &closedir};
  const auto set = [&kept](int fd) { set_close_on_exec(fd, std::find(kept.begin(), kept.end(), fd) == kept.end()); };
  // NOLINTNEXTLINE(concurrency-mt-unsafe): a stream of one's own is safe to read.
  while (const dirent* const entry = open ? readdir(open.get()) : nullptr) {
    const bool is_number = entry->d_name[0] >= '0' && entry->d_name[0] <= '9';
    if (is_number) set(static_cast<int>(std::strtol(entry->d_name, nullptr, 10)));
  }
  // Where none is left for a look at the others.
  for (int fd = open ? -1 : getdtablesize() - 1; fd >= 0; --fd) set(fd);
}

int length_of(char* const* list) {
  int length = 0;
  while (list[length] != nullptr) ++length;
  return length;
}

}  // namespace

Failure replace(const StartPlan& plan) {
  const SignalSet wanted = plan.options.ignored & ~plan.options.unenforced & ~enforced_already();
  const bool enforces = plan.options.enforcement != Enforcement::kOff && helper_enforces();
  ExecPlan numbers = numbers_of(plan, enforces ? wanted : 0, -1);
  numbers.candidate_count = length_of(plan.candidates);
  std::vector<char*> arguments{nullptr};
  arguments.insert(arguments.end(), plan.arguments, plan.arguments + length_of(plan.arguments) + 1);
  const SignalsBlocked blocked{kAllSignals};
  // It would keep ignored what it guards.
  lift_guard(kAllSignals);
  set_actions(plan.options.ignored);
  keep_descriptors(plan);
  return failure_of(sigshield_become(&numbers, plan.groups, plan.directory == nullptr ? "" : plan.directory,
                                     plan.candidates, arguments.data(), plan.environment));
}

}  // namespace sigshield::platform
