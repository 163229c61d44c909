// The processes of the system, for where no /proc lists them: platform.h's third page.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/signal_set.h"

namespace sigshield::platform {

struct ProcessEntry {
  pid_t pid = 0;
  pid_t parent = 0;
  char state = '\0';  // 'Z': it has ended, and waits to be reaped. 'T': it is stopped.
  // Microseconds since 1970: with the pid it names one process for ever.
  std::uint64_t started_at = 0;
  uid_t uid = 0;  // The real one.
  // Below 2^53, which is all that a system without /proc has. Those whose default action is to be ignored may be told
  // as ignored.
  SignalSet ignored = 0;
  SignalSet caught = 0;
};

// False where lib/signal/process-table.ts is to read /proc: then the rest is not asked for.
bool lists_processes();

std::vector<ProcessEntry> process_table();

// Its pid is 0 when there is no such process.
ProcessEntry process_entry(pid_t pid);

// Its arguments, and before them its name as the kernel has it. Empty where that may not be read.
std::vector<std::string> process_name_and_arguments(pid_t pid);

// 0 when there is no such process.
std::uint64_t start_of_process(pid_t pid);

// What its program was started with: empty where that may not be read. None in the middle of an execve, which has none
// yet.
std::optional<std::vector<std::string>> process_environment(pid_t pid);

}  // namespace sigshield::platform
