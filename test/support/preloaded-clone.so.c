// Preloaded into a parent: its clone() refuses what musl's does from 1.2.5 on. Just before the first start, and with
// these in the environment,
//   FORK_BEFORE_CLONE     forks a process that lives on and executes nothing, as another library might; its pid goes to
//                         the file that the variable names
//   UNSHARE_BEFORE_CLONE  gives all children a pid namespace that the parent is not in
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static void fork_once(const char* report) {
  unsetenv("FORK_BEFORE_CLONE");
  const long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
  if (pid == 0) {
    // Its output would hold up who reads the parent's.
    for (int fd = 0; fd <= 2; ++fd) close(fd);
    for (;;) pause();
  }
  FILE* file = fopen(report, "w");
  fprintf(file, "%ld", pid);
  fclose(file);
}

int clone(int (*entry)(void*), void* stack, int flags, void* argument, ...) {
  static int (*real)(int (*)(void*), void*, int, void*, ...);
  if (!real) real = (int (*)(int (*)(void*), void*, int, void*, ...))dlsym(RTLD_NEXT, "clone");
  if (flags & (CLONE_THREAD | CLONE_SETTLS | CLONE_CHILD_CLEARTID)) {
    errno = EINVAL;
    return -1;
  }
  const char* report = getenv("FORK_BEFORE_CLONE");
  if (report) fork_once(report);
  if (getenv("UNSHARE_BEFORE_CLONE")) {
    unsetenv("UNSHARE_BEFORE_CLONE");
    if (unshare(CLONE_NEWPID) != 0) return -1;
  }
  va_list list;
  va_start(list, argument);
  pid_t* parent_tid = (flags & CLONE_PIDFD) ? va_arg(list, pid_t*) : NULL;
  va_end(list);
  return real(entry, stack, flags, argument, parent_tid, NULL, NULL);
}
