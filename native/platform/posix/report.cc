#include "platform/posix/report.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>

#include "platform/posix/exec_helper_path.h"
#include "platform/posix/exec_plan.h"
#include "platform/posix/plan_numbers.h"
#include "platform/posix/system.h"

namespace sigshield::platform {

namespace {

bool has_ended(pid_t child) {
  siginfo_t info{};
  if (waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) == 0) return info.si_pid != 0;
  return errno == ECHILD;
}

bool runs_helper(pid_t child) {
  static const std::string helper = [] {
    // NOLINTNEXTLINE(cppcoreguidelines-no-malloc): realpath(3) allocates.
    char* const path = realpath(exec_helper_path().c_str(), nullptr);
    std::string text = path == nullptr ? "" : path;
    std::free(path);  // NOLINT(cppcoreguidelines-no-malloc)
    return text;
  }();
  // Some systems say behind it that the file was replaced since.
  return program_path(child).starts_with(helper);
}

// Whether anything was told.
bool read_report(int fd, ExecReport& report) {
  ssize_t length = 0;
  do length = read(fd, &report, sizeof report);
  while (length < 0 && errno == EINTR);
  return length == sizeof report;
}

bool is_readable(int fd, int timeout_ms) {
  pollfd readable{fd, POLLIN, 0};
  return poll(&readable, 1, timeout_ms) > 0;
}

}  // namespace

Failure wait_for_program(pid_t child, const FileDescriptor& report_pipe) {
  constexpr int kLookMs = 100;
  while (!is_readable(report_pipe.get(), kLookMs)) {
    if (has_ended(child) || !runs_helper(child)) break;
  }
  ExecReport report{};
  if (!is_readable(report_pipe.get(), 0) || !read_report(report_pipe.get(), report)) return {};
  return failure_of(report);
}

}  // namespace sigshield::platform
