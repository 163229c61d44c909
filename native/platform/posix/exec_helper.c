// The exec helper: the child half of a start by posix_spawn(2). It is started with all signals blocked and at their
// default actions, with the program's descriptors and the report pipe's alone; does what posix_spawn has no attribute
// for, or could not name the step of; and becomes the program.
//
// Programs of setuid, or with a __RESTRICT segment, are not to be made of it: it must do what its parent says.
#include <errno.h>
#include <fcntl.h>
#ifndef __APPLE__
#include <grp.h>
#endif
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "platform/posix/enforcement.h"
#include "platform/posix/exec_plan.h"

static struct ExecPlan plan;

// A pipe takes so few bytes at once. A parent that is not there to read them needs none: SIGPIPE is blocked.
static void fail(enum ExecStep step, int error) {
  const struct ExecReport report = {(int32_t)step, error};
  while (write(plan.report_fd, &report, sizeof report) < 0 && errno == EINTR) continue;
  _exit(127);
}

static void check(enum ExecStep step, int result) {
  if (result < 0) fail(step, errno);
}

static unsigned nibble(char digit) { return (unsigned)(digit <= '9' ? digit - '0' : digit - 'a' + 10); }

static void read_hexadecimal(const char* text, void* memory, size_t size) {
  unsigned char* bytes = memory;
  for (size_t i = 0; i < size && text[0] != '\0' && text[1] != '\0'; ++i, text += 2) {
    bytes[i] = (unsigned char)(nibble(text[0]) << 4 | nibble(text[1]));
  }
}

static int is_in(uint64_t set, int signal) { return (set >> (signal - 1) & 1) != 0; }

// Only these: the start has set all others to their default actions, and libc may refuse some that end a program.
static void ignore_signals(void) {
  struct sigaction ignored = {.sa_handler = SIG_IGN};
  for (int signal = 1; signal < NSIG; ++signal) {
    if (is_in(plan.ignored, signal)) check(EXEC_SIGACTION, sigaction(signal, &ignored, NULL));
  }
}

// Allowed from the background as SIGTTOU is blocked (tcsetpgrp(3)).
static void take_terminal(void) {
  const int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC);
  check(EXEC_OPEN, terminal);
  pid_t group = getpgrp();
  check(EXEC_IOCTL, ioctl(terminal, TIOCSPGRP, &group));
  close(terminal);
}

static void join_process_group(void) {
  if (plan.new_session) check(EXEC_SETSID, (int)setsid());
  // The leader of a new session leads a new group already.
  const int leads_already = plan.new_session && plan.process_group == 0;
  if (plan.set_process_group && !leads_already) check(EXEC_SETPGID, setpgid(0, plan.process_group));
  if (plan.foreground) take_terminal();
}

// What can't be made blocking is given as it is, as by libuv.
static void make_stdio_blocking(void) {
  for (int fd = 0; fd <= 2; ++fd) {
    const int flags = fcntl(fd, F_GETFL);
    if (flags >= 0 && (flags & O_NONBLOCK) != 0) fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
  }
}

// What a parent without privilege may name without having to drop anything.
static int ids_stay(void) {
  const int uid_stays = !plan.set_uid || (getuid() == (uid_t)plan.uid && geteuid() == (uid_t)plan.uid);
  const int gid_stays = !plan.set_gid || (getgid() == (gid_t)plan.gid && getegid() == (gid_t)plan.gid);
  return uid_stays && gid_stays;
}

// They go first, while there is the privilege to drop them (CVE-2023-6507 is the same step forgotten).
static void set_groups(const char* text) {
  const size_t count = plan.group_count > 0 ? (size_t)plan.group_count : 0;
  gid_t* const groups = calloc(count + 1, sizeof *groups);
  if (groups == NULL) fail(EXEC_SETGROUPS, ENOMEM);
#ifdef __APPLE__
  // The first is the effective group id there, and of an empty list group 0 becomes it (setgroups_internal of xnu).
  const size_t first = 1;
  typedef int Count;  // Of setgroups.
  groups[0] = plan.set_gid ? (gid_t)plan.gid : getegid();
#else
  const size_t first = 0;
  typedef size_t Count;
#endif
  read_hexadecimal(text, groups + first, count * sizeof *groups);
  const int result = setgroups((Count)(first + count), groups);
  const int error = errno;
  free(groups);
  if (result == 0) return;
  const int may_keep = plan.group_count < 0 && (getgroups(0, NULL) == 0 || ids_stay());
  if (error != EPERM || !may_keep) fail(EXEC_SETGROUPS, error);
}

// -1 means "none", or "as it is".
static void check_id(enum ExecStep step, int32_t id) {
  if (id == -1) fail(step, EINVAL);
}

static void set_ids(const char* groups) {
  if (plan.set_uid || plan.set_gid || plan.group_count >= 0) set_groups(groups);
  if (plan.set_gid) {
    check_id(EXEC_SETGID, plan.gid);
    check(EXEC_SETGID, setgid((gid_t)plan.gid));
  }
  if (plan.set_uid) {
    check_id(EXEC_SETUID, plan.uid);
    check(EXEC_SETUID, setuid((uid_t)plan.uid));
  }
}

static void enforce(void) {
  if (plan.to_enforce == 0) return;
  const int error = sigshield_enforce(plan.to_enforce);
  if (error != 0) fail(EXEC_ENFORCE, error);
}

static void set_mask(void) {
  sigset_t mask;
  sigemptyset(&mask);
  for (int signal = 1; signal < NSIG; ++signal) {
    if (is_in(plan.blocked, signal)) sigaddset(&mask, signal);
  }
  check(EXEC_SIGPROCMASK, sigprocmask(SIG_SETMASK, &mask, NULL));
}

// `list` ends with a null pointer, and has room for one more entry before it.
static void execute_by_shell(char* candidate, char** list, char** environment) {
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
static void execute(char** candidates, char** list, char** environment) {
  int denied = 0;
  int error = ENOENT;
  for (int i = 0; i < plan.candidate_count; ++i) {
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
    }
  }
  fail(EXEC_EXECVE, denied ? EACCES : error);
}

int main(int argc, char** argv) {
  if (argc < 4) return 127;
  read_hexadecimal(argv[1], &plan, sizeof plan);
  char* const groups = argv[2];
  char* const directory = argv[3];
  char** const candidates = argv + 4;
  char** const arguments = candidates + plan.candidate_count;
  char** const environment = arguments + plan.argument_count;
  if (argc != 4 + plan.candidate_count + plan.argument_count + plan.environment_count) return 127;
  // It ends where the helper's own arguments end. The other list gets an end of its own, and room for the shell.
  char** const list = calloc((size_t)plan.argument_count + 3, sizeof *list);
  if (list == NULL) fail(EXEC_EXECVE, ENOMEM);
  memcpy(list + 1, arguments, (size_t)plan.argument_count * sizeof *list);

  fcntl(plan.report_fd, F_SETFD, FD_CLOEXEC);
  ignore_signals();
  join_process_group();
  make_stdio_blocking();
  if (directory[0] != '\0') check(EXEC_CHDIR, chdir(directory));
  enforce();
  set_ids(groups);
  // Last: until here a signal for the group waits, and from here on it meets the disposition the program starts with.
  set_mask();
  execute(candidates, list, environment);
}
