#include "platform/process_table.h"

#include <sys/sysctl.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

namespace sigshield::platform {

namespace {

// Microseconds since 1970.
std::uint64_t microseconds(const timeval& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(time.tv_usec);
}

ProcessEntry entry_of(const kinfo_proc& process) {
  const extern_proc& it = process.kp_proc;
  return {.pid = it.p_pid,
          .parent = process.kp_eproc.e_ppid,
          .state = it.p_stat == SZOMB   ? 'Z'
                   : it.p_stat == SSTOP ? 'T'
                                        : '\0',
          .started_at = microseconds(it.p_starttime),
          .uid = process.kp_eproc.e_pcred.p_ruid,
          .ignored = it.p_sigignore,
          .caught = it.p_sigcatch};
}

// False when there is no such process.
bool look_up(pid_t pid, kinfo_proc& process) {
  int name[] = {CTL_KERN, KERN_PROC, KERN_PROC_PID, pid};
  std::size_t size = sizeof process;
  return sysctl(name, 4, &process, &size, nullptr, 0) == 0 && size == sizeof process;
}

// What KERN_PROCARGS2 tells of a process: the count of its arguments, then its program's path, NULs, the arguments, and
// the environment, each with a NUL behind it.
class ArgumentsAndEnvironment {
 public:
  explicit ArgumentsAndEnvironment(pid_t pid) : text_(text_of(pid)), rest_(text_) {
    if (text_.size() < sizeof arguments_) return;
    std::memcpy(&arguments_, text_.data(), sizeof arguments_);
    rest_.remove_prefix(sizeof arguments_);
    next();
    rest_.remove_prefix(std::min(rest_.find_first_not_of('\0'), rest_.size()));
  }

  [[nodiscard]] bool is_empty() const { return text_.empty(); }
  [[nodiscard]] bool has_argument() const { return arguments_ > 0 && !rest_.empty(); }
  std::string_view next_argument() {
    --arguments_;
    return next();
  }

  // When there are no more arguments.
  [[nodiscard]] bool has_entry() const { return !rest_.empty(); }
  std::string_view next() {
    const std::string_view one = rest_.substr(0, rest_.find('\0'));
    rest_.remove_prefix(std::min(one.size() + 1, rest_.size()));
    return one;
  }

 private:
  static std::string text_of(pid_t pid) {
    int name[] = {CTL_KERN, KERN_PROCARGS2, pid};
    std::size_t size = 0;
    if (sysctl(name, 3, nullptr, &size, nullptr, 0) != 0) return {};
    std::string text(size, '\0');
    if (sysctl(name, 3, text.data(), &size, nullptr, 0) != 0) return {};
    text.resize(size);
    return text;
  }

  const std::string text_;
  std::string_view rest_;
  int arguments_ = 0;
};

}  // namespace

bool lists_processes() { return true; }

std::vector<ProcessEntry> process_table() {
  int name[] = {CTL_KERN, KERN_PROC, KERN_PROC_ALL};
  std::vector<kinfo_proc> found;
  std::size_t size = 0;
  // There may be more of them by the second call.
  for (;;) {
    if (sysctl(name, 3, nullptr, &size, nullptr, 0) != 0) return {};
    found.resize(size / sizeof(kinfo_proc) + 16);
    size = found.size() * sizeof(kinfo_proc);
    if (sysctl(name, 3, found.data(), &size, nullptr, 0) == 0) break;
    if (errno != ENOMEM) return {};
  }
  found.resize(size / sizeof(kinfo_proc));
  std::vector<ProcessEntry> table(found.size());
  std::transform(found.begin(), found.end(), table.begin(), entry_of);
  return table;
}

ProcessEntry process_entry(pid_t pid) {
  kinfo_proc process{};
  return look_up(pid, process) ? entry_of(process) : ProcessEntry{};
}

std::vector<std::string> process_name_and_arguments(pid_t pid) {
  kinfo_proc process{};
  if (!look_up(pid, process)) return {};
  std::vector<std::string> found{process.kp_proc.p_comm};
  ArgumentsAndEnvironment told{pid};
  while (told.has_argument()) found.emplace_back(told.next_argument());
  return found;
}

std::uint64_t start_of_process(pid_t pid) { return process_entry(pid).started_at; }

std::optional<std::vector<std::string>> process_environment(pid_t pid) {
  ArgumentsAndEnvironment told{pid};
  // Those of other users are told to nobody but root.
  if (told.is_empty() && process_entry(pid).uid == geteuid()) return std::nullopt;
  while (told.has_argument()) told.next_argument();
  std::vector<std::string> found;
  while (told.has_entry()) found.emplace_back(told.next());
  return found;
}

}  // namespace sigshield::platform
