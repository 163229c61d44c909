// For tests: what the exec helper needs of the kernel's own calls on Linux.
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KEY 0x73696773

struct KernelAction {
  void (*handler)(int);
  unsigned long flags;
  void (*restorer)(void);
  unsigned long mask;
};

// The exec helper's own, in place of libc's: glibc's refuses the signals that it keeps for itself, which its
// posix_spawn leaves ignored, and has no key.
int sigaction(int sig, const struct sigaction* act, struct sigaction* oact) {
  const struct KernelAction action = {act == NULL ? SIG_DFL : act->sa_handler, 0, NULL, 0};
  struct KernelAction old = {SIG_DFL, 0, NULL, 0};
  const long result = syscall(SYS_rt_sigaction, (long)KEY << 32 | sig, act == NULL ? NULL : &action, &old, 8);
  if (oact != NULL) oact->sa_handler = old.handler;
  return (int)result;
}
