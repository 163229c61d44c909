#include "core/failure.h"

namespace sigshield {

const char* step_name(Step step) {
  switch (step) {
    case Step::kNone:
      return "";
    case Step::kPipe:
      return "pipe2";
    case Step::kFstat:
      return "fstat";
    case Step::kFstatfs:
      return "fstatfs";
    case Step::kEventfd:
      return "eventfd";
    case Step::kSocketpair:
      return "socketpair";
    case Step::kThread:
      return "pthread_create";
    case Step::kMmap:
      return "mmap";
    case Step::kMprotect:
      return "mprotect";
    case Step::kClone:
      return "clone";
    case Step::kSetTidAddress:
      return "set_tid_address";
    case Step::kSigaction:
      return "rt_sigaction";
    case Step::kSigprocmask:
      return "rt_sigprocmask";
    case Step::kSetsid:
      return "setsid";
    case Step::kSetpgid:
      return "setpgid";
    case Step::kGetpgid:
      return "getpgid";
    case Step::kGetppid:
      return "getppid";
    case Step::kPoll:
      return "poll";
    case Step::kIoctl:
      return "ioctl";
    case Step::kOpen:
      return "open";
    case Step::kDup:
      return "dup3";
    case Step::kFcntl:
      return "fcntl";
    case Step::kChdir:
      return "chdir";
    case Step::kSetgroups:
      return "setgroups";
    case Step::kSetresgid:
      return "setresgid";
    case Step::kSetresuid:
      return "setresuid";
    case Step::kPrctl:
      return "prctl";
    case Step::kSeccomp:
      return "seccomp";
    case Step::kExecve:
      return "execve";
    case Step::kEpollCreate:
      return "epoll_create1";
    case Step::kEpoll:
      return "epoll_ctl";
    case Step::kKill:
      return "kill";
    case Step::kPosixSigaction:
      return "sigaction";
    case Step::kPosixSigprocmask:
      return "sigprocmask";
    case Step::kSetgid:
      return "setgid";
    case Step::kSetuid:
      return "setuid";
    case Step::kPosixSpawn:
      return "posix_spawn";
    case Step::kGuard:
      return "guard";
    case Step::kKqueue:
      return "kqueue";
    case Step::kKevent:
      return "kevent";
  }
  return "";
}

}  // namespace sigshield
