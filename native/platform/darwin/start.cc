// What a start needs of this system alone.
#include <libproc.h>
#include <unistd.h>

#include <array>
#include <cstddef>

#include "platform/platform.h"
#include "platform/posix/system.h"
#include "platform/symbols.h"

// Not declared for libraries, which can't have `environ` (environ(7)).
#include <crt_externs.h>

namespace sigshield::platform {

short own_spawn_flags() { return POSIX_SPAWN_CLOEXEC_DEFAULT; }

int add_inherited(posix_spawn_file_actions_t& actions, int fd) {
  return posix_spawn_file_actions_addinherit_np(&actions, fd);
}

// By POSIX_SPAWN_CLOEXEC_DEFAULT.
int add_closing_of_others(posix_spawn_file_actions_t&, const std::vector<int>&) { return 0; }

SignalSet enforced_already() { return 0; }

bool helper_enforces() { return false; }

std::string program_path(pid_t pid) {
  std::array<char, PROC_PIDPATHINFO_MAXSIZE> path{};
  const int length = proc_pidpath(pid, path.data(), static_cast<std::uint32_t>(path.size()));
  return length > 0 ? std::string{path.data(), static_cast<std::size_t>(length)} : std::string{};
}

std::optional<double> max_rss_bytes(const rusage& usage) { return static_cast<double>(usage.ru_maxrss); }

char** own_environment() { return *_NSGetEnviron(); }

}  // namespace sigshield::platform
