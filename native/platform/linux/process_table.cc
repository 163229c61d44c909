#include "platform/process_table.h"

namespace sigshield::platform {

bool lists_processes() { return false; }

std::vector<ProcessEntry> process_table() { return {}; }

ProcessEntry process_entry(pid_t) { return {}; }

std::vector<std::string> process_name_and_arguments(pid_t) { return {}; }

std::optional<std::vector<std::string>> process_environment(pid_t) { return {}; }

}  // namespace sigshield::platform
