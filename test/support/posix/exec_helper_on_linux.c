// For tests: what the exec helper needs of the kernel's own calls on Linux.
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KEY 0x73696773

static long set_handler(int signal, unsigned long handler) {
  const struct {
    unsigned long handler, flags, restorer, mask;
  } action = {handler, 0, 0, 0};
  return syscall(SYS_rt_sigaction, (long)KEY << 32 | signal, &action, NULL, 8);
}

// glibc's posix_spawn leaves the signals that it keeps for itself ignored, and has no key.
__attribute__((constructor)) static void reset_signals(void) {
  for (int signal = 1; signal < NSIG; ++signal) set_handler(signal, (unsigned long)SIG_DFL);
}

// The exec helper's own, in place of libc's.
int sigaction(int sig, const struct sigaction* act, struct sigaction* oact) {
  (void)oact;
  return (int)set_handler(sig, (unsigned long)act->sa_handler);
}
