#include "platform/process_table.h"

#include <sys/sysctl.h>
#include <sys/types.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>

namespace sigshield::platform {

namespace {

// Microseconds since 1970.
std::uint64_t microseconds(const timeval& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(time.tv_usec);
}

ProcessEntry entry_of(const kinfo_proc& process) {
  return {.pid = process.kp_proc.p_pid,
          .parent = process.kp_eproc.e_ppid,
          .has_ended = process.kp_proc.p_stat == SZOMB,
          .started_at = microseconds(process.kp_proc.p_starttime)};
}

// What KERN_PROCARGS2 tells of a process: the count of its arguments, then its program's path, NULs, the arguments, and
// the environment, each with a NUL behind it.
std::string arguments_and_environment(pid_t pid) {
  int name[] = {CTL_KERN, KERN_PROCARGS2, pid};
  std::size_t size = 0;
  if (sysctl(name, 3, nullptr, &size, nullptr, 0) != 0) return {};
  std::string text(size, '\0');
  if (sysctl(name, 3, text.data(), &size, nullptr, 0) != 0) return {};
  text.resize(size);
  return text;
}

}  // namespace

bool lists_processes() { return true; }

std::vector<ProcessEntry> process_table() {
  int name[] = {CTL_KERN, KERN_PROC, KERN_PROC_ALL};
  std::vector<kinfo_proc> found;
  std::size_t size = 0;
  // There may be more of them by the second call.
  do {
    if (sysctl(name, 3, nullptr, &size, nullptr, 0) != 0) return {};
    found.resize(size / sizeof(kinfo_proc) + 16);
    size = found.size() * sizeof(kinfo_proc);
  } while (sysctl(name, 3, found.data(), &size, nullptr, 0) != 0);
  found.resize(size / sizeof(kinfo_proc));
  std::vector<ProcessEntry> table(found.size());
  std::transform(found.begin(), found.end(), table.begin(), entry_of);
  return table;
}

std::uint64_t start_of_process(pid_t pid) {
  int name[] = {CTL_KERN, KERN_PROC, KERN_PROC_PID, pid};
  kinfo_proc process{};
  std::size_t size = sizeof process;
  const bool found = sysctl(name, 4, &process, &size, nullptr, 0) == 0 && size == sizeof process;
  return found ? entry_of(process).started_at : 0;
}

bool has_environment_entry(pid_t pid, std::string_view entry) {
  const std::string text = arguments_and_environment(pid);
  int arguments = 0;
  if (text.size() < sizeof arguments) return false;
  std::memcpy(&arguments, text.data(), sizeof arguments);
  std::string_view rest = std::string_view{text}.substr(sizeof arguments);
  const auto next = [&rest] {
    const std::string_view one = rest.substr(0, rest.find('\0'));
    rest.remove_prefix(std::min(one.size() + 1, rest.size()));
    return one;
  };
  next();
  rest.remove_prefix(std::min(rest.find_first_not_of('\0'), rest.size()));
  for (; arguments > 0 && !rest.empty(); --arguments) next();
  while (!rest.empty()) {
    if (next() == entry) return true;
  }
  return false;
}

}  // namespace sigshield::platform
