// Asks for a handler of SIGINT by the call that its first argument names, raises the signal, and says in one line what
// the call answered, whether the handler ran, what the kernel does with the signal then, and whether the handler has
// run when a guard is lifted.
#ifdef __linux__
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif

extern char** environ;
typedef void (*handler)(int);
extern handler bsd_signal(int, handler);
#ifdef __linux__
extern handler ssignal(int, handler);
extern handler sysv_signal(int, handler);
extern handler __sysv_signal(int, handler);
#endif
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

static const char* self;
static volatile sig_atomic_t handled;
static void handle(int signal) {
  (void)signal;
  handled = 1;
}

static const char* name_of(handler action) {
  return action == SIG_IGN ? "ignored" : action == SIG_DFL ? "default" : action == SIG_ERR ? "error" : "handled";
}

// What the kernel does, past the guard. A Mac's own call for that can't be had.
static handler by_kernel(int signal) {
#ifndef __linux__
  struct sigaction action;
  return sigaction(signal, NULL, &action) == 0 ? action.sa_handler : SIG_ERR;
#else
  struct {
    handler action;
    uint64_t flags, restorer, mask;
  } found;
  syscall(SYS_rt_sigaction, signal, NULL, &found, 8);
  return found.action;
#endif
}

static handler by_sigaction(int signal, handler action) {
  struct sigaction asked = {.sa_flags = SA_RESTART}, old;
  asked.sa_handler = action;
  return sigaction(signal, &asked, &old) == 0 ? old.sa_handler : SIG_ERR;
}

static handler by_sigset_after_hold(int signal, handler action) {
  sigset(signal, SIG_HOLD);
  sigset(signal, action);
  sigset_t mask;
  sigprocmask(SIG_BLOCK, NULL, &mask);
  return sigismember(&mask, signal) ? SIG_ERR : by_sigaction(signal, action);
}

// What a child that is started with all signals set back finds.
static handler spawned(int signal, handler action) {
  (void)action;
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t all;
  sigfillset(&all);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  char* const argv[] = {"guarded", "look", NULL};
  pid_t pid;
  int status = 0;
  if (posix_spawn(&pid, self, NULL, &attributes, argv, environ) != 0) return SIG_ERR;
  waitpid(pid, &status, 0);
  (void)signal;
  return (handler)(intptr_t)WEXITSTATUS(status);
}

// A child that shares this memory sets its signals back, as Python's subprocess does.
static handler by_vfork(int signal, handler action) {
  const handler before = by_sigaction(signal, action);
  const pid_t pid = vfork();
  if (pid == 0) {
    sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
    _exit(0);
  }
  waitpid(pid, NULL, 0);
  return before;
}

static const struct {
  const char* name;
  handler (*ask)(int, handler);
} calls[] = {{"sigaction", by_sigaction},
             {"signal", signal},
             {"bsd_signal", bsd_signal},
#ifdef __linux__
             {"ssignal", ssignal},
             {"sysv_signal", sysv_signal},
             {"__sysv_signal", __sysv_signal},
#endif
             {"sigset", sigset},
             {"sigset after SIG_HOLD", by_sigset_after_hold},
             {"vfork", by_vfork},
             {"posix_spawn", spawned}};

int main(int argc, char** argv) {
  self = argv[0];
  const char* const call = argc > 1 ? argv[1] : "";
  if (strcmp(call, "look") == 0) return (int)(intptr_t)by_kernel(SIGINT);
  for (size_t i = 0; i < sizeof calls / sizeof *calls; ++i) {
    if (strcmp(call, calls[i].name) != 0) continue;
    const char* const before = name_of(calls[i].ask(SIGINT, handle));
    // What only asks another program raises nothing.
    if (calls[i].ask != spawned) raise(SIGINT);
    const int before_lift = handled;
    void (*const lift)(uint64_t) = (void (*)(uint64_t))dlsym(RTLD_DEFAULT, "sigshield_guard_lift");
    const char* const now = name_of(by_kernel(SIGINT));
    if (lift != NULL) {
      lift(1 << (SIGINT - 1));
      raise(SIGINT);
    }
    printf("{\"before\":\"%s\",\"handled\":%d,\"now\":\"%s\",\"lifted\":%d}\n", before, before_lift, now, handled);
    return 0;
  }
  return 2;
}
