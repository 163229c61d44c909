// How what the system refuses is told: which of our steps, and why.
#pragma once

#include <cstdint>

namespace sigshield {

// The system call that failed.
enum class Step : std::int32_t {
  kNone,
  kPipe,
  kFstat,
  kFstatfs,
  kEventfd,
  kSocketpair,
  kThread,
  kMmap,
  kMprotect,
  kClone,
  kSetTidAddress,
  kSigaction,
  kSigprocmask,
  kSetsid,
  kSetpgid,
  kGetpgid,
  kGetppid,
  kPoll,
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
  kEpollCreate,
  kEpoll,
  kKill,
  kPosixSigaction,
  kPosixSigprocmask,
  kSetgid,
  kSetuid,
  kPosixSpawn,
  kGuard,
  kKqueue,
  kKevent,
};

// The name of the call, as in its manual page.
const char* step_name(Step step);

// True when there is one.
struct [[nodiscard]] Failure {
  Step step = Step::kNone;
  int error = 0;  // An errno.

  explicit operator bool() const { return step != Step::kNone; }
};

}  // namespace sigshield
