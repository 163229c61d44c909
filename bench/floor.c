// The floors: posix_spawn(3) as a C program uses it, and the least that a start can hold its caller: clone(2), without
// waiting for the program. Answers requests as peers.mjs has them.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char** environ;

static double microseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void check(int error, const char* step) {
  if (error == 0) return;
  fprintf(stderr, "%s: %s\n", step, strerror(error));
  exit(1);
}

// The parent's ends of the child's stdin, stdout and stderr are left in `ends`.
static pid_t start(int piped, int ends[3]) {
  static char name[] = "true";
  char* arguments[] = {name, NULL};
  posix_spawn_file_actions_t actions;
  check(posix_spawn_file_actions_init(&actions), "init");
  int child_ends[3] = {-1, -1, -1};
  for (int fd = 0; fd < 3; ++fd) {
    if (piped) {
      int pair[2];
      check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0 ? 0 : errno, "socketpair");
      ends[fd] = pair[0];
      child_ends[fd] = pair[1];
      check(posix_spawn_file_actions_adddup2(&actions, pair[1], fd), "adddup2");
    } else {
      check(posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", fd == 0 ? O_RDONLY : O_RDWR, 0), "addopen");
    }
  }
  pid_t pid = -1;
  check(posix_spawnp(&pid, name, &actions, NULL, arguments, environ), "posix_spawnp");
  check(posix_spawn_file_actions_destroy(&actions), "destroy");
  for (int fd = 0; piped && fd < 3; ++fd) close(child_ends[fd]);
  return pid;
}

struct cloned {
  int child_ends[3];
  char stack[32768] __attribute__((aligned(16)));
};

static int child(void* argument) {
  const struct cloned* self = argument;
  static char name[] = "true";
  char* arguments[] = {name, NULL};
  for (int fd = 0; fd < 3; ++fd) {
    if (self->child_ends[fd] >= 0) dup2(self->child_ends[fd], fd);
  }
  execvp(name, arguments);
  _exit(127);
}

// The child has its memory until it is waited for.
static pid_t start_unwaited(struct cloned* memory, int piped, int ends[3]) {
  for (int fd = 0; fd < 3; ++fd) {
    memory->child_ends[fd] = -1;
    if (!piped) continue;
    int pair[2];
    check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0 ? 0 : errno, "socketpair");
    ends[fd] = pair[0];
    memory->child_ends[fd] = pair[1];
  }
  const pid_t pid = clone(child, memory->stack + sizeof memory->stack, CLONE_VM | SIGCHLD, memory);
  check(pid > 0 ? 0 : errno, "clone");
  for (int fd = 0; piped && fd < 3; ++fd) close(memory->child_ends[fd]);
  return pid;
}

static void block(int waits, int piped, int count) {
  static struct cloned memory;
  for (int i = 0; i < count; ++i) {
    int ends[3];
    const double begin = microseconds();
    const pid_t pid = waits ? start(piped, ends) : start_unwaited(&memory, piped, ends);
    printf("%.1f ", microseconds() - begin);
    for (int fd = 0; piped && fd < 3; ++fd) close(ends[fd]);
    waitpid(pid, NULL, 0);
  }
}

static void starts(int in_flight, int count) {
  const double begin = microseconds();
  int started = 0;
  for (; started < in_flight && started < count; ++started) start(0, NULL);
  for (int ended = 0; ended < count; ++ended) {
    waitpid(-1, NULL, 0);
    if (started < count) {
      start(0, NULL);
      ++started;
    }
  }
  printf("%.6f", (microseconds() - begin) / 1e6);
}

static void open_many(int count) {
  for (int i = 0; i < count; ++i) check(open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0 ? 0 : errno, "open");
}

int main(void) {
  char line[256];
  while (fgets(line, sizeof line, stdin) != NULL) {
    char stdio[16];
    int a = 0;
    int b = 0;
    if (sscanf(line, "hold %d", &a) == 1) {
      const size_t size = (size_t)a << 30;
      memset(malloc(size), 1, size);
    } else if (sscanf(line, "open %d", &a) == 1) {
      open_many(a);
    } else if (sscanf(line, "block floor %15s %d", stdio, &a) == 2) {
      block(1, strcmp(stdio, "pipe") == 0, a);
    } else if (sscanf(line, "block unwaitedFloor %15s %d", stdio, &a) == 2) {
      block(0, strcmp(stdio, "pipe") == 0, a);
    } else if (sscanf(line, "starts floor %d %d", &a, &b) == 2) {
      starts(a, b);
    }
    printf("\n");
    fflush(stdout);
  }
  return 0;
}
