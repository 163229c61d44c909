// Starting a child: what is asked for and what came of it, as plain data.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/file_descriptor.h"
#include "core/signal_set.h"
#include "core/string_list.h"

namespace sigshield {

// The system call that failed while starting a child.
enum class Step : std::int32_t {
  kNone,
  kPipe,
  kSocketpair,
  kMmap,
  kClone,
  kSetsid,
  kSetpgid,
  kIoctl,
  kOpen,
  kDup,
  kFcntl,
  kChdir,
  kSetgroups,
  kSetresgid,
  kSetresuid,
  kPrctl,
  kSeccomp,
  kExecve,
  kEpoll,
};

// The name of the system call, as in its manual page.
const char* step_name(Step step);

enum class Enforcement : std::uint8_t {
  kOff,
  kIfAvailable,  // Start the child without the filter where the system has none.
  kRequired,     // Fail to start it.
};

// Values of SpawnRequest::descriptors that are no descriptor of the parent's.
constexpr int kNoDescriptor = -1;  // /dev/null for 0, 1 and 2, closed above.
constexpr int kNewPipe = -2;       // One end of a new socket pair; the parent keeps the other.

// Everything is present; an absent option has its default value here.
struct SpawnRequest {
  std::string file;              // Looked up in the PATH of `environment` when it has no slash.
  StringList arguments;          // argv, its first entry included.
  StringList environment;        // envp
  std::string directory;         // The child's working directory; empty for the parent's.
  std::vector<int> descriptors;  // Entry n becomes the child's descriptor n; the child has no others.
  SignalSet ignored = 0;         // SIG_IGN for these, SIG_DFL for all others.
  SignalSet blocked = 0;         // Exactly the child's mask.
  Enforcement enforcement = Enforcement::kOff;
  bool new_session = false;
  std::optional<pid_t> process_group;  // 0: a new one, which the child leads.
  bool foreground = false;             // The child's process group takes the terminal.
  int parent_death_signal = 0;         // Sent when the calling thread ends; 0: none.
  std::optional<std::uint32_t> uid;
  std::optional<std::uint32_t> gid;
};

struct SpawnResult {
  Step failed_step = Step::kNone;
  int error = 0;                      // errno of the failed step; 0 when the program runs.
  pid_t pid = -1;                     // Of a program that runs, and not reaped yet.
  FileDescriptor pidfd;               // Invalid where the kernel gives none.
  bool enforced = false;              // The filter is in force.
  std::vector<FileDescriptor> pipes;  // The parent's ends, in the order of the kNewPipe entries.
};

// The process group of a child that was given one.
pid_t group_of(const SpawnRequest& request, pid_t child);

// Starts a program. Returns once it runs or can't: a child that failed is reaped already.
SpawnResult spawn(SpawnRequest& request);

}  // namespace sigshield
