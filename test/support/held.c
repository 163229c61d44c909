// held ACTION COMMAND...: runs a command in which each chdir(2) waits for this program, so that a child with a
// directory of its own is held between its clone and its execve.
//   NUMBER   sends it that signal, then lets it go on
//   PATH     creates the file PATH, and lets it go on when that is gone again
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct sock_filter chdir_waits[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_chdir, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

static int exchange(int socket, int fd) {
  char byte = 0, room[CMSG_SPACE(sizeof fd)] = {0};
  struct iovec data = {&byte, 1};
  struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
  struct cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (fd < 0) {
    if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != 1) return -1;
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
    return fd;
  }
  *header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
  memcpy(CMSG_DATA(header), &fd, sizeof fd);
  return (int)sendmsg(socket, &message, 0);
}

static void supervise(int listener, const char* action) {
  for (;;) {
    struct seccomp_notif notice = {0};
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &notice) != 0) {
      if (errno == EINTR) continue;
      _exit(0);
    }
    if (action[0] == '/') {
      close(open(action, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
      while (access(action, F_OK) == 0) usleep(1000);
    } else {
      kill((pid_t)notice.pid, atoi(action));
    }
    struct seccomp_notif_resp answer = {.id = notice.id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
    ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
  }
}

int main(int argc, char** argv) {
  int sockets[2];
  if (argc < 3 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) return 2;
  const pid_t command = getpid();
  if (fork() == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(sockets[1]);
    if (getppid() == command) supervise(exchange(sockets[0], -1), argv[1]);
    _exit(0);
  }
  struct sock_fprog program = {sizeof chdir_waits / sizeof *chdir_waits, chdir_waits};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  const int listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
  if (listener < 0 || exchange(sockets[1], listener) != 1) {
    perror("seccomp");
    return 3;
  }
  execvp(argv[2], argv + 2);
  perror(argv[2]);
  return 127;
}
