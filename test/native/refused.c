// refused CALL=ERRNO,... COMMAND...: runs a command to which the kernel refuses these system calls, as old kernels and
// the profiles of sandboxes do. `group_signal` is pidfd_send_signal with flags (before Linux 6.9).
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

static const struct {
  const char* name;
  int number;
} calls[] = {{"waitid", SYS_waitid}, {"wait4", SYS_wait4}, {"pidfd_send_signal", SYS_pidfd_send_signal}};

static const struct {
  const char* name;
  int number;
} errors[] = {{"EPERM", EPERM}, {"ENOSYS", ENOSYS}, {"EACCES", EACCES}, {"EINVAL", EINVAL}};

static int error_of(const char* name) {
  for (size_t i = 0; i < sizeof errors / sizeof *errors; ++i) {
    if (strcmp(errors[i].name, name) == 0) return errors[i].number;
  }
  return 0;
}

static int refuse(const char* call, int error) {
  for (size_t i = 0; i < sizeof calls / sizeof *calls; ++i) {
    if (strcmp(calls[i].name, call) != 0) continue;
    struct sock_filter filter[] = {LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i].number, 0, 1),
                                   BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
                                   BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
  }
  if (strcmp(call, "group_signal") != 0) return -1;
  struct sock_filter filter[] = {LOAD(nr),
                                 BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_send_signal, 1, 0),
                                 BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
                                 LOAD(args[3]),
                                 BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
                                 BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
                                 BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  for (char* rule = strtok(argv[1], ","); rule != NULL; rule = strtok(NULL, ",")) {
    char* error = strchr(rule, '=');
    if (error == NULL) continue;  // "nothing"
    *error++ = '\0';
    if (error_of(error) == 0 || refuse(rule, error_of(error)) != 0) {
      fprintf(stderr, "can't refuse %s\n", rule);
      return 3;
    }
  }
  execvp(argv[2], argv + 2);
  perror(argv[2]);
  return 127;
}
