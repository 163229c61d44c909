// restricted FEATURE,... COMMAND...: runs a command on a kernel without these features, as old kernels and sandboxes
// are:
//   pidfd        clone refuses CLONE_PIDFD, waitid refuses P_PIDFD (before Linux 5.2 and 5.4)
//   close_range  ENOSYS (before 5.9)
//   seccomp      ENOSYS
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define REFUSE(error) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (error))
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define ONLY(number) LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 1, 0), ALLOW
#define CLONE_PIDFD_BIT 0x1000
#define P_PIDFD_TYPE 3

static struct sock_filter clone_pidfd[] = {
    ONLY(SYS_clone), LOAD(args[0]), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_PIDFD_BIT, 0, 1), REFUSE(EINVAL), ALLOW};
static struct sock_filter waitid_pidfd[] = {
    ONLY(SYS_waitid), LOAD(args[0]), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, P_PIDFD_TYPE, 0, 1), REFUSE(EINVAL), ALLOW};
static struct sock_filter send_signal[] = {ONLY(SYS_pidfd_send_signal), REFUSE(ENOSYS)};
static struct sock_filter close_range_call[] = {ONLY(436), REFUSE(ENOSYS)};
static struct sock_filter seccomp_call[] = {ONLY(SYS_seccomp), REFUSE(ENOSYS)};

static int install(struct sock_filter* filter, size_t length) {
  struct sock_fprog program = {(unsigned short)length, filter};
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}
#define INSTALL(filter) install(filter, sizeof(filter) / sizeof(*(filter)))

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  int failed = 0;
  if (strstr(argv[1], "pidfd")) failed |= INSTALL(clone_pidfd) | INSTALL(waitid_pidfd) | INSTALL(send_signal);
  if (strstr(argv[1], "close_range")) failed |= INSTALL(close_range_call);
  if (strstr(argv[1], "seccomp")) failed |= INSTALL(seccomp_call);
  if (failed) {
    perror("seccomp");
    return 3;
  }
  execvp(argv[2], argv + 2);
  perror(argv[2]);
  return 127;
}
