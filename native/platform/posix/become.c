#include "platform/posix/become.h"

#include <errno.h>
#include <fcntl.h>
#ifndef __APPLE__
#include <grp.h>
#endif
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "platform/posix/enforcement.h"

// Of the step that failed: the functions return -1 for it.
// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables): one process becomes one program.
static struct ExecReport failure;

static int fail(enum ExecStep step, int error) {
  failure.step = (int32_t)step;
  failure.error = error;
  return -1;
}

static int check(enum ExecStep step, int result) { return result < 0 ? fail(step, errno) : 0; }

static int is_in(uint64_t set, int signal) { return (set >> (signal - 1) & 1) != 0; }

// Exactly these. A guard of the parent's may have kept others ignored, whose default action posix_spawn was asked for.
// No other is touched: libc may refuse some that end a program.
static int ignore_signals(const struct ExecPlan* plan) {
  for (int signal = 1; signal < NSIG; ++signal) {
    struct sigaction action = {.sa_handler = SIG_IGN};
    if (!is_in(plan->ignored, signal)) {
      struct sigaction found;
      if (sigaction(signal, NULL, &found) != 0 || found.sa_handler != SIG_IGN) continue;
      action.sa_handler = SIG_DFL;
    }
    if (check(EXEC_SIGACTION, sigaction(signal, &action, NULL)) != 0) return -1;
  }
  return 0;
}

// Allowed from the background as SIGTTOU is blocked (tcsetpgrp(3)).
static int take_terminal(void) {
  const int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC);
  if (check(EXEC_OPEN, terminal) != 0) return -1;
  pid_t group = getpgrp();
  const int result = check(EXEC_IOCTL, ioctl(terminal, TIOCSPGRP, &group));
  close(terminal);
  return result;
}

static int join_process_group(const struct ExecPlan* plan) {
  if (plan->new_session && check(EXEC_SETSID, (int)setsid()) != 0) return -1;
  // The leader of a new session leads a new group already.
  const int leads_already = plan->new_session && plan->process_group == 0;
  const int joins = plan->set_process_group && !leads_already;
  if (joins && check(EXEC_SETPGID, setpgid(0, plan->process_group)) != 0) return -1;
  return plan->foreground ? take_terminal() : 0;
}

static int enter(const char* directory) { return directory[0] == '\0' ? 0 : check(EXEC_CHDIR, chdir(directory)); }

// What a parent without privilege may name without having to drop anything.
static int ids_stay(const struct ExecPlan* plan) {
  const int uid_stays = !plan->set_uid || (getuid() == (uid_t)plan->uid && geteuid() == (uid_t)plan->uid);
  const int gid_stays = !plan->set_gid || (getgid() == (gid_t)plan->gid && getegid() == (gid_t)plan->gid);
  return uid_stays && gid_stays;
}

// They go first, while there is the privilege to drop them (CVE-2023-6507 is the same step forgotten).
static int set_groups(const struct ExecPlan* plan, const gid_t* given) {
  const size_t count = plan->group_count > 0 ? (size_t)plan->group_count : 0;
  gid_t* const groups = calloc(count + 1, sizeof *groups);
  if (groups == NULL) return fail(EXEC_SETGROUPS, ENOMEM);
#ifdef __APPLE__
  // The first is the effective group id there, and of an empty list group 0 becomes it (setgroups_internal of xnu).
  const size_t first = 1;
  typedef int Count;  // Of setgroups.
  groups[0] = plan->set_gid ? (gid_t)plan->gid : getegid();
#else
  const size_t first = 0;
  typedef size_t Count;
#endif
  size_t size = first;
  for (size_t i = 0; i < count; ++i) {
    // There is room for 16 with the first, which a list of all of a user's groups has too (NGROUPS_MAX).
    if (first == 0 || given[i] != groups[0]) groups[size++] = given[i];
  }
  const int result = setgroups((Count)size, groups);
  const int error = errno;
  free(groups);
  if (result == 0) return 0;
  const int may_keep = plan->group_count < 0 && (getgroups(0, NULL) == 0 || ids_stay(plan));
  return error == EPERM && may_keep ? 0 : fail(EXEC_SETGROUPS, error);
}

// -1 means "none", or "as it is".
static int set_id(enum ExecStep step, int32_t id, int (*set)(uid_t)) {
  return id == -1 ? fail(step, EINVAL) : check(step, set((uid_t)id));
}

static int set_ids(const struct ExecPlan* plan, const gid_t* groups) {
  const int touches_groups = plan->set_uid || plan->set_gid || plan->group_count >= 0;
  if (touches_groups && set_groups(plan, groups) != 0) return -1;
  if (plan->set_gid && set_id(EXEC_SETGID, plan->gid, setgid) != 0) return -1;
  return plan->set_uid ? set_id(EXEC_SETUID, plan->uid, setuid) : 0;
}

static int enforce(const struct ExecPlan* plan) {
  if (plan->to_enforce == 0) return 0;
  const int error = sigshield_enforce(plan->to_enforce);
  return error == 0 ? 0 : fail(EXEC_ENFORCE, error);
}

static int set_mask(const struct ExecPlan* plan) {
  sigset_t mask;
  sigemptyset(&mask);
  for (int signal = 1; signal < NSIG; ++signal) {
    if (is_in(plan->blocked, signal)) sigaddset(&mask, signal);
  }
  const int error = pthread_sigmask(SIG_SETMASK, &mask, NULL);
  return error == 0 ? 0 : fail(EXEC_SIGPROCMASK, error);
}

static void execute_by_shell(char* candidate, char** list, char* const* environment) {
  static char shell[] = "/bin/sh";
  char* const name = list[1];
  list[0] = shell;
  list[1] = candidate;
  execve(shell, list, environment);
  const int error = errno;
  list[1] = name;
  errno = error;
}

// The rules of execvp(3): which errors try the next candidate, and a file without a known format is a shell script.
static void execute(int candidate_count, char* const* candidates, char** list, char* const* environment) {
  int denied = 0;
  int error = ENOENT;
  for (int i = 0; i < candidate_count; ++i) {
    execve(candidates[i], list + 1, environment);
    if (errno == ENOEXEC) execute_by_shell(candidates[i], list, environment);
    error = errno;
    switch (error) {
      case EACCES:
        denied = 1;
        break;
      case ENOENT:
      case ENOTDIR:
      case ESTALE:
      case ENODEV:
      case ETIMEDOUT:
        break;
      default:
        fail(EXEC_EXECVE, error);
        return;
    }
  }
  fail(EXEC_EXECVE, denied ? EACCES : error);
}

struct ExecReport sigshield_become(const struct ExecPlan* plan, const gid_t* groups, const char* directory,
                                   char* const* candidates, char** arguments, char* const* environment) {
  if (ignore_signals(plan) != 0 || join_process_group(plan) != 0) return failure;
  if (enter(directory) != 0 || enforce(plan) != 0 || set_ids(plan, groups) != 0) return failure;
  // Last: until here a signal for the group waits, and from here on it meets the disposition the program starts with.
  if (set_mask(plan) != 0) return failure;
  execute(plan->candidate_count, candidates, arguments, environment);
  return failure;
}
