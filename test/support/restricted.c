// restricted FEATURE[=ERRNO],... COMMAND...: runs a command on a kernel without these features, as old kernels and
// sandboxes are:
//   pidfd              clone refuses CLONE_PIDFD, waitid refuses P_PIDFD (before Linux 5.2 and 5.4)
//   clone_pidfd        clone refuses CLONE_PIDFD
//   clone_files        clone refuses to share descriptors but for threads
//   clone_vm           clone refuses to share memory but in vfork and for threads, as qemu-user does
//   waitid, wait4, poll, ppoll, epoll_wait, setsid, setpgid, getpgid, fchmod, pidfd_open, pidfd_send_signal, dup3,
//   getppid, getrusage, rt_sigpending, setgroups, setresgid, setresuid   refused
//   ambient            prctl refuses PR_CAP_AMBIENT
//   close_range        ENOSYS (before 5.9)
//   unshare            the same for CLOSE_RANGE_UNSHARE alone; =0: it is pretended
//   unshare_killed     it ends who asks for it
//   seccomp            ENOSYS, and the same by prctl(2)
//   seccomp_killed     it ends the process, as in @system-service of systemd before 257
//   other_abis_killed  they end the thread, as by SystemCallArchitectures= of systemd
//   mprotect_stack     mprotect refuses what is done for the child's stack
//   wide_signal        rt_sigaction is refused where the register of its signal holds more than an int
//   sigint_swallowed   SIGINT is ignored, and stays so whoever asks: a filter of somebody else
#define _GNU_SOURCE
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define LOAD_HIGH(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field) + 4)
#define REFUSE(error) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (error))
#define KILL(action) BPF_STMT(BPF_RET | BPF_K, (action))
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define ONLY(number) LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 1, 0), ALLOW
#define IF_EQUAL(value) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 1, 0), ALLOW
#define IF_SET(bits) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (bits), 1, 0), ALLOW
#define IF_CLEAR(bits) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (bits), 0, 1), ALLOW
#define CLONE_FILES_BIT 0x400
#define CLONE_THREAD_BIT 0x10000
#define CLONE_VM_BIT 0x100
#define CLONE_PIDFD_BIT 0x1000
#define CLOSE_RANGE_UNSHARE_BIT 0x2
#define P_PIDFD_TYPE 3

struct feature {
  const char* name;
  int error;
  struct sock_filter filter[10];
};

#define CALL(call)                                \
  {                                               \
    #call, EPERM, { ONLY(SYS_##call), REFUSE(0) } \
  }

// The last instruction refuses. Behind it stand zeros.
static struct feature features[] = {
    {"pidfd", EINVAL, {ONLY(SYS_clone), LOAD(args[0]), IF_SET(CLONE_PIDFD_BIT), REFUSE(0)}},
    {"pidfd", EINVAL, {ONLY(SYS_waitid), LOAD(args[0]), IF_EQUAL(P_PIDFD_TYPE), REFUSE(0)}},
    {"pidfd", ENOSYS, {ONLY(SYS_pidfd_send_signal), REFUSE(0)}},
    {"clone_pidfd", EINVAL, {ONLY(SYS_clone), LOAD(args[0]), IF_SET(CLONE_PIDFD_BIT), REFUSE(0)}},
    {"clone_vm", EINVAL, {ONLY(SYS_clone), LOAD(args[0]), IF_EQUAL(CLONE_VM_BIT | SIGCHLD), REFUSE(0)}},
    {"clone_files",
     EPERM,
     {ONLY(SYS_clone), LOAD(args[0]), IF_SET(CLONE_FILES_BIT), IF_CLEAR(CLONE_THREAD_BIT), REFUSE(0)}},
    {"clone_vm",
     EINVAL,
     {ONLY(SYS_clone), LOAD(args[0]), IF_EQUAL(CLONE_VM_BIT | CLONE_PIDFD_BIT | SIGCHLD), REFUSE(0)}},
    CALL(waitid),
    CALL(wait4),
    CALL(ppoll),
    CALL(setpgid),
    CALL(getpgid),
    CALL(fchmod),
    CALL(setsid),
    CALL(rt_sigtimedwait),
    CALL(dup3),
    CALL(getppid),
    CALL(getrusage),
    CALL(rt_sigpending),
    CALL(setgroups),
    CALL(setresgid),
    CALL(setresuid),
    {"ambient", EPERM, {ONLY(SYS_prctl), LOAD(args[0]), IF_EQUAL(PR_CAP_AMBIENT), REFUSE(0)}},
    {"pidfd_open", EPERM, {ONLY(434), REFUSE(0)}},
    {"pidfd_send_signal", EPERM, {ONLY(424), REFUSE(0)}},
    {"close_range", ENOSYS, {ONLY(436), REFUSE(0)}},
    {"unshare", ENOSYS, {ONLY(436), LOAD(args[2]), IF_EQUAL(CLOSE_RANGE_UNSHARE_BIT), REFUSE(0)}},
    {"unshare_killed",
     0,
     {ONLY(436), LOAD(args[2]), IF_EQUAL(CLOSE_RANGE_UNSHARE_BIT), KILL(SECCOMP_RET_KILL_PROCESS)}},
    {"seccomp_killed", 0, {ONLY(SYS_seccomp), KILL(SECCOMP_RET_KILL_PROCESS)}},
#ifdef __x86_64__
    {"other_abis_killed",
     0,
     {LOAD(arch), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0), KILL(SECCOMP_RET_KILL_THREAD), LOAD(nr),
      IF_SET(0x40000000), KILL(SECCOMP_RET_KILL_THREAD)}},
    CALL(epoll_wait),
    CALL(poll),
#endif
    {"mprotect_stack",
     EACCES,
     {ONLY(SYS_mprotect), LOAD(args[1]), IF_EQUAL(64 * 1024), LOAD(args[2]), IF_EQUAL(3), REFUSE(0)}},
    {"wide_signal", EPERM, {ONLY(SYS_rt_sigaction), LOAD_HIGH(args[0]), IF_SET(~0U), REFUSE(0)}},
    {"sigint_swallowed",
     0,
     {ONLY(SYS_rt_sigaction), LOAD(args[0]), IF_EQUAL(SIGINT), LOAD(args[1]), IF_SET(~0U), REFUSE(0)}},
    {"seccomp", ENOSYS, {ONLY(SYS_seccomp), REFUSE(0)}},
    // The last: the others are installed by it.
    {"seccomp", ENOSYS, {ONLY(SYS_prctl), LOAD(args[0]), IF_EQUAL(PR_SET_SECCOMP), REFUSE(0)}},
};

static int install(struct feature* feature, int error) {
  const size_t room = sizeof feature->filter / sizeof *feature->filter;
  struct sock_filter* last = feature->filter + room - 1;
  while (last->code == 0) --last;
  if (last->k == SECCOMP_RET_ERRNO) last->k |= (unsigned)error;
  struct sock_fprog program = {(unsigned short)(last - feature->filter + 1), feature->filter};
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0) return 0;
  // Only for the unprivileged: a test looks whether the child sets it.
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  if (strstr(argv[1], "sigint_swallowed")) signal(SIGINT, SIG_IGN);
  for (char* name = strtok(argv[1], ","); name; name = strtok(NULL, ",")) {
    char* value = strchr(name, '=');
    if (value) *value++ = '\0';
    for (size_t i = 0; i < sizeof features / sizeof *features; ++i) {
      struct feature* feature = &features[i];
      if (strcmp(feature->name, name) == 0 && install(feature, value ? atoi(value) : feature->error) != 0) {
        perror("seccomp");
        return 3;
      }
    }
  }
  execvp(argv[2], argv + 2);
  perror(argv[2]);
  return 127;
}
