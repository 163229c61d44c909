// For tests: what the exec helper needs on Linux, so that the whole suite can run over native/platform/posix. Its
// filter is for the machine's own ABI alone.
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "platform/posix/enforcement.h"

#define KEY 0x73696773
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (offsetof(struct seccomp_data, field)))

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
int sigaction(int signal, const struct sigaction* action, struct sigaction* old) {
  (void)old;
  return (int)set_handler(signal, (unsigned long)action->sa_handler);
}

int sigshield_enforce(uint64_t ignored) {
  struct sock_filter code[160] = {
      LOAD(nr),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigaction, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      // As in native/platform/linux/seccomp_filter.h: a start may do what a program may not.
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0]) + 4),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, KEY, 4, 0),
      // A null action asks.
      LOAD(args[1]),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1]) + 4),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      LOAD(args[0]),
  };
  unsigned short length = 11;
  for (int signal = 1; signal < NSIG; ++signal) {
    if ((ignored >> (signal - 1) & 1) == 0) continue;
    code[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)signal, 0, 1);
    code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 0);
  }
  code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  const struct sock_fprog filter = {length, code};
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) == 0) return 0;
  if (errno != EACCES || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) == 0 ? 0 : errno;
}
