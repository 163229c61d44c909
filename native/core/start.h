// Starting a child: what is asked for and what came of it, as plain data.
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/failure.h"
#include "core/file_descriptor.h"
#include "core/string_list.h"
#include "core/wire.h"
#include "platform/platform.h"

namespace sigshield {

struct StartRequest {
  std::string file;              // Looked up in the PATH of `environment` when it has no slash.
  StringList arguments;          // argv, its first entry included.
  StringList environment;        // envp
  std::string directory;         // The child's working directory; empty for the parent's.
  std::vector<int> descriptors;  // As in Wire; the child has no others.
  std::optional<std::vector<gid_t>>
      groups;         // The supplementary groups; absent: as they are, or none when an id is set.
  int terminal = -1;  // As in platform::StartPlan.
  StartOptions options;
};

struct StartResult {
  Failure failure;                     // None when the program runs.
  platform::ProcessReference process;  // Of a program that runs.
  bool enforced = false;
  SignalSet in_force = 0;             // As in platform::Started.
  SignalSet kept_ignored = 0;         // The same.
  std::vector<FileDescriptor> pipes;  // The parent's ends, in the order of the kNewPipe entries; after a failure too.
  std::unique_ptr<platform::StartUnderWay> under_way;  // As in platform::Started.
};

// Starts a program. Returns once it runs or can't, and a child that failed is reaped already; or before, where
// StartOptions::waits_for_exec lets it.
StartResult start(StartRequest request);

// The same in place of this program, where `descriptors` are those that are kept. Returns only with a failure.
Failure replace(StartRequest request);

}  // namespace sigshield
