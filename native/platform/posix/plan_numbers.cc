#include "platform/posix/plan_numbers.h"

#include <cstdint>

namespace sigshield::platform {

namespace {

// The steps of ExecStep.
Step step_of(std::int32_t step) {
  switch (step) {
    case EXEC_SIGACTION:
      return Step::kPosixSigaction;
    case EXEC_SETSID:
      return Step::kSetsid;
    case EXEC_SETPGID:
      return Step::kSetpgid;
    case EXEC_OPEN:
      return Step::kOpen;
    case EXEC_IOCTL:
      return Step::kIoctl;
    case EXEC_CHDIR:
      return Step::kChdir;
    case EXEC_ENFORCE:
      return Step::kGuard;
    case EXEC_SETGROUPS:
      return Step::kSetgroups;
    case EXEC_SETGID:
      return Step::kSetgid;
    case EXEC_SETUID:
      return Step::kSetuid;
    case EXEC_SIGPROCMASK:
      return Step::kPosixSigprocmask;
    default:
      return Step::kExecve;
  }
}

}  // namespace

ExecPlan numbers_of(const StartPlan& plan, SignalSet to_enforce, int report_fd) {
  const StartOptions& options = plan.options;
  ExecPlan numbers{};
  numbers.ignored = options.ignored;
  numbers.blocked = options.blocked;
  numbers.to_enforce = to_enforce;
  numbers.report_fd = report_fd;
  numbers.new_session = options.new_session;
  numbers.set_process_group = options.set_process_group;
  numbers.process_group = options.process_group;
  numbers.foreground = options.foreground;
  numbers.set_uid = options.set_uid;
  numbers.uid = options.uid;
  numbers.set_gid = options.set_gid;
  numbers.gid = options.gid;
  numbers.group_count = plan.group_count;
  return numbers;
}

Failure failure_of(const ExecReport& report) { return {step_of(report.step), report.error}; }

}  // namespace sigshield::platform
