// The parent half: posix_spawn(2) of the exec helper, which becomes the program, and what came of it.
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "core/terminal.h"
#include "platform/platform.h"
#include "platform/posix/exec_helper_path.h"
#include "platform/posix/exec_plan.h"
#include "platform/posix/file_actions.h"
#include "platform/posix/plan_numbers.h"
#include "platform/posix/report.h"
#include "platform/posix/signal_sets.h"
#include "platform/posix/system.h"
#include "platform/process_table.h"

namespace sigshield::platform {

namespace {

// All signals at their default, and blocked, from the helper's first instruction on.
class Attributes {
 public:
  Attributes() {
    posix_spawnattr_init(&attributes_);
    const sigset_t all = to_sigset(kAllSignals);
    posix_spawnattr_setsigmask(&attributes_, &all);
    sigset_t reset = all;
    sigdelset(&reset, SIGKILL);
    sigdelset(&reset, SIGSTOP);
    posix_spawnattr_setsigdefault(&attributes_, &reset);
    const int flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | own_spawn_flags();
    posix_spawnattr_setflags(&attributes_, static_cast<short>(flags));
  }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  ~Attributes() { posix_spawnattr_destroy(&attributes_); }

  [[nodiscard]] const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

std::string hexadecimal(const void* memory, std::size_t size) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const auto* byte = static_cast<const unsigned char*>(memory); size > 0; --size, ++byte) {
    text.push_back(kDigits[*byte >> 4]);
    text.push_back(kDigits[*byte & 15]);
  }
  return text;
}

int append_all(std::vector<char*>& list, char* const* strings) {
  int count = 0;
  for (; *strings != nullptr; ++strings, ++count) list.push_back(*strings);
  return count;
}

// The lowest number that is no target.
int number_for_report(const StartPlan& plan) {
  const int first = std::max(plan.descriptor_count, 3);
  return plan.options.exit_source >= 0 && plan.options.exit_target == first ? first + 1 : first;
}

int greatest_number(const StartPlan& plan, int report_fd) {
  return plan.options.exit_source >= 0 ? std::max(report_fd, plan.options.exit_target) : report_fd;
}

Failure lay_out(const StartPlan& plan, FileActions& actions, int report_source, int report_target) {
  const StartOptions& options = plan.options;
  for (int target = 0; target < plan.descriptor_count; ++target) {
    const int source = plan.descriptors[target];
    Failure failure;
    if (source >= 0) {
      failure = actions.give(source, target);
    } else if (target <= 2) {
      failure = actions.open_null(target);
    }
    if (failure) return failure;
  }
  if (const Failure failure = actions.give(report_source, report_target)) return failure;
  if (options.exit_source >= 0) {
    if (const Failure failure = actions.give(options.exit_source, options.exit_target)) return failure;
  }
  return actions.close_others();
}

void reap(pid_t child) {
  // ECHILD: SIGCHLD is ignored in this process and the kernel has reaped it.
  while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) continue;
}

Started start_once(const StartPlan& plan, SignalSet to_enforce) {
  Started started;
  FileDescriptor read_end;
  FileDescriptor write_end;
  started.failure = open_pipe(read_end, write_end);
  if (started.failure) return started;
  const int report_fd = number_for_report(plan);
  FileActions actions{greatest_number(plan, report_fd)};
  started.failure = lay_out(plan, actions, write_end.get(), report_fd);
  if (started.failure) return started;

  char name[] = "sigshield-exec";
  char no_directory[] = "";
  ExecPlan numbers = numbers_of(plan, to_enforce, report_fd);
  std::string groups =
      hexadecimal(plan.groups, plan.group_count > 0 ? sizeof(gid_t) * static_cast<std::size_t>(plan.group_count) : 0);
  // Written by nobody: it is C that does not say so.
  std::vector<char*> arguments{name, nullptr, groups.data(),
                               plan.directory == nullptr ? no_directory : const_cast<char*>(plan.directory)};
  numbers.candidate_count = append_all(arguments, plan.candidates);
  numbers.argument_count = append_all(arguments, plan.arguments);
  numbers.environment_count = append_all(arguments, plan.environment);
  arguments.push_back(nullptr);
  std::string text = hexadecimal(&numbers, sizeof numbers);
  arguments[1] = text.data();
  char* no_environment[] = {nullptr};

  const Attributes attributes;
  pid_t pid = -1;
  const int error =
      posix_spawn(&pid, exec_helper_path().c_str(), actions.get(), attributes.get(), arguments.data(), no_environment);
  write_end.reset();
  if (error != 0) {
    // What is too long for the helper is too long for the program.
    started.failure = {error == E2BIG ? Step::kExecve : Step::kPosixSpawn, error};
    return started;
  }
  started.failure = wait_for_program(pid, read_end);
  if (started.failure) {
    // It may have taken the terminal before it failed.
    if (plan.options.foreground != 0) take_back_terminal(plan.terminal, group_of(plan.options, pid), nullptr);
    reap(pid);
    return started;
  }
  started.in_force = enforced_already() | to_enforce;
  const SignalSet wanted = plan.options.ignored & ~plan.options.unenforced;
  started.enforced = wanted != 0 && (wanted & ~started.in_force) == 0;
  started.process = {.pid = pid, .handle = {}, .started_at = start_of_process(pid)};
  return started;
}

}  // namespace

bool has_signal_filter() { return helper_enforces(); }

bool has_parent_death_signal() { return false; }

Started start(const StartPlan& plan) {
  const Enforcement enforcement = plan.options.enforcement;
  // What is in force already is not asked for again.
  const SignalSet wanted = plan.options.ignored & ~plan.options.unenforced;
  const SignalSet missing = enforcement == Enforcement::kOff ? 0 : wanted & ~enforced_already();
  if (missing != 0 && !helper_enforces()) {
    if (enforcement == Enforcement::kIfAvailable) return start_once(plan, 0);
    Started refused;
    refused.failure = {Step::kGuard, ENOTSUP};
    return refused;
  }
  Started started = start_once(plan, missing);
  if (started.failure.step != Step::kGuard || enforcement != Enforcement::kIfAvailable) return started;
  return start_once(plan, 0);
}

}  // namespace sigshield::platform
