// What the exec helper is told, by its arguments:
//
//   name  plan  groups  directory  candidate…  argument…  variable…
//
// `plan` is the memory of an ExecPlan and `groups` that of the supplementary groups, both in hexadecimal: an argument
// can hold no NUL. An empty directory is the parent's. The helper's own environment is empty, so that what is meant for
// the program (DYLD_*, LD_*) does not act on the helper. Both sides are built for one machine, and shipped together.
#pragma once

#ifdef __cplusplus
#include <cstdint>
#else
#include <stdint.h>
#endif

struct ExecPlan {
  uint64_t ignored;
  uint64_t blocked;
  uint64_t to_enforce;  // Given to sigshield_enforce() unless empty.
  int32_t report_fd;    // Where an ExecReport is written when a step fails. Its end of file says that the program runs.
  int32_t new_session;
  int32_t set_process_group;
  int32_t process_group;
  int32_t foreground;
  int32_t set_uid;
  int32_t uid;
  int32_t set_gid;
  int32_t gid;
  int32_t group_count;  // -1: not asked for.
  int32_t candidate_count;
  int32_t argument_count;
  int32_t environment_count;
};

// The steps that the helper knows, as in core/failure.h.
enum ExecStep {
  EXEC_SIGACTION = 1,
  EXEC_SETSID,
  EXEC_SETPGID,
  EXEC_OPEN,
  EXEC_IOCTL,
  EXEC_CHDIR,
  EXEC_ENFORCE,
  EXEC_SETGROUPS,
  EXEC_SETGID,
  EXEC_SETUID,
  EXEC_SIGPROCMASK,
  EXEC_EXECVE,
};

struct ExecReport {
  int32_t step;
  int32_t error;
};
