// The processes of the system, for where no /proc lists them: platform.h's third page.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string_view>
#include <vector>

namespace sigshield::platform {

struct ProcessEntry {
  pid_t pid = 0;
  pid_t parent = 0;
  bool has_ended = false;  // And waits to be reaped.
  // When it was started, in a unit of the system's own below 2^53: with the pid it names one process for ever.
  std::uint64_t started_at = 0;
};

// False where lib/signal/process-table.ts is to read /proc: then the rest is not asked for.
bool lists_processes();

std::vector<ProcessEntry> process_table();

// 0 when there is no such process.
std::uint64_t start_of_process(pid_t pid);

// Whether its environment had this entry when its program was started; false where that may not be read.
bool has_environment_entry(pid_t pid, std::string_view entry);

}  // namespace sigshield::platform
