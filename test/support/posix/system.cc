// For tests: what native/platform/posix asks of its system, on Linux.
#include "platform/posix/system.h"

#include <linux/magic.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "platform/linux/seccomp_filter.h"
#include "platform/platform.h"
#include "platform/process_table.h"
#include "platform/symbols.h"

namespace sigshield::platform {

namespace {

constexpr pid_t kKthreadd = 2;

std::string contents(const std::string& path) {
  const std::ifstream file{path};
  std::ostringstream text;
  // Nothing is thrown here for a process that ends meanwhile, as its file's iterators would.
  text << file.rdbuf();
  return text.str();
}

// When the system was started, in seconds since 1970 (proc_stat(5)).
std::uint64_t boot_time() {
  std::istringstream fields{contents("/proc/stat")};
  std::string word;
  while (fields >> word && word != "btime") continue;
  std::uint64_t seconds = 0;
  fields >> seconds;
  return seconds;
}

// Of those that a number can hold.
SignalSet set_in(const std::string& status, const char* name) {
  constexpr SignalSet kTold = (SignalSet{1} << 53) - 1;
  const auto found = status.find(name);
  return found == std::string::npos ? 0 : std::stoull(status.substr(found + std::strlen(name)), nullptr, 16) & kTold;
}

// What /proc/PID/stat says.
ProcessEntry stat_of(pid_t pid) {
  const std::string stat = contents("/proc/" + std::to_string(pid) + "/stat");
  if (stat.empty()) return {};
  std::istringstream fields{stat.substr(stat.rfind(')') + 1)};
  ProcessEntry entry{.pid = pid};
  std::string skipped;
  fields >> entry.state >> entry.parent;
  if (entry.state != 'Z' && entry.state != 'T') entry.state = '\0';
  int threads = 0;
  for (int i = 5; i < 20; ++i) fields >> skipped;
  fields >> threads >> skipped;
  // Its first thread alone has ended, which a Mac does not show.
  if (entry.state == 'Z' && threads > 1) entry.state = '\0';
  std::uint64_t ticks = 0;
  fields >> ticks;
  static const std::uint64_t boot = boot_time();
  entry.started_at = boot * 1'000'000 + ticks * 10'000;
  return entry;
}

std::vector<std::string> strings_in(const std::string& path) {
  std::istringstream text{contents(path)};
  std::vector<std::string> found;
  for (std::string one; std::getline(text, one, '\0');) found.push_back(one);
  return found;
}

ProcessEntry entry_of(pid_t pid) {
  ProcessEntry entry = stat_of(pid);
  const std::string status = contents("/proc/" + std::to_string(pid) + "/status");
  if (entry.pid == 0 || status.empty()) return {};
  std::istringstream{status.substr(status.find("\nUid:") + 5)} >> entry.uid;
  entry.ignored = set_in(status, "SigIgn:");
  entry.caught = set_in(status, "SigCgt:");
  return entry;
}

}  // namespace

short own_spawn_flags() { return 0; }

// A descriptor that is duplicated to its own number is not closed on exec any more (posix_spawn(3)).
int add_inherited(posix_spawn_file_actions_t& actions, int fd) {
  return posix_spawn_file_actions_adddup2(&actions, fd, fd);
}

int add_closing_of_others(posix_spawn_file_actions_t& actions, const std::vector<int>& numbers) {
  int next = 0;
  for (const int number : numbers) {
    for (; next < number; ++next) {
      if (const int error = posix_spawn_file_actions_addclose(&actions, next); error != 0) return error;
    }
    next = number + 1;
  }
  return posix_spawn_file_actions_addclosefrom_np(&actions, next);
}

SignalSet enforced_already() { return filters_in_force().enforced; }

bool helper_enforces() { return true; }

std::string program_path(pid_t pid) {
  std::array<char, PATH_MAX> path{};
  const ssize_t length = readlink(("/proc/" + std::to_string(pid) + "/exe").c_str(), path.data(), path.size());
  return length > 0 ? std::string{path.data(), static_cast<std::size_t>(length)} : std::string{};
}

// Never told, as the kernel counts what the parent holds.
std::optional<double> max_rss_bytes(const rusage&) { return std::nullopt; }

Failure is_anonymous_pipe(int fd, bool& answer) {
  struct statfs system{};
  if (fstatfs(fd, &system) != 0) return {Step::kFstatfs, errno};
  answer = system.f_type == PIPEFS_MAGIC;
  return {};
}

void* exported_object(const char*, std::size_t) { return nullptr; }

char** own_environment() { return environ; }

void stay_loaded() {}

bool lists_processes() { return true; }

std::vector<ProcessEntry> process_table() {
  std::vector<ProcessEntry> table;
  for (const auto& file : std::filesystem::directory_iterator{"/proc"}) {
    const auto pid = static_cast<pid_t>(std::strtol(file.path().filename().c_str(), nullptr, 10));
    const ProcessEntry entry = pid > 0 ? entry_of(pid) : ProcessEntry{};
    // Threads of the kernel, which a Mac does not list.
    if (entry.pid != 0 && entry.pid != kKthreadd && entry.parent != kKthreadd) table.push_back(entry);
  }
  return table;
}

ProcessEntry process_entry(pid_t pid) { return entry_of(pid); }

std::vector<std::string> process_name_and_arguments(pid_t pid) {
  const std::string folder = "/proc/" + std::to_string(pid);
  std::string name = contents(folder + "/comm");
  if (name.empty()) return {};
  name.pop_back();
  std::vector<std::string> found{name};
  for (std::string& one : strings_in(folder + "/cmdline")) found.push_back(std::move(one));
  return found;
}

std::uint64_t start_of_process(pid_t pid) { return stat_of(pid).started_at; }

std::optional<std::vector<std::string>> process_environment(pid_t pid) {
  const std::vector<std::string> found = strings_in("/proc/" + std::to_string(pid) + "/environ");
  return found.empty() ? std::nullopt : std::optional{found};
}

}  // namespace sigshield::platform
