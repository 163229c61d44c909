// Preloaded: refuses calls of libc, as a system that has run out of something does.
//   REFUSE_WAITS=FILE    waitid and wait4 by EPERM, while there is this file
//   REFUSE_THREADS=FILE  pthread_create by EAGAIN, while there is this file
//   REFUSE_NESTED=FILE   epoll_ctl by ENOSPC for an epoll set in another, as of a user without epoll watches
//   REFUSE_SETS=FILE     epoll_create1 by EMFILE, while there is this file
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int is_there(const char* variable) {
  const char* file = getenv(variable);
  return file != NULL && access(file, F_OK) == 0;
}

long syscall(long number, ...) {
  va_list list;
  va_start(list, number);
  long a[6];
  for (int i = 0; i < 6; ++i) a[i] = va_arg(list, long);
  va_end(list);
  if (number == SYS_waitid && is_there("REFUSE_WAITS")) {
    errno = EPERM;
    return -1;
  }
  long (*real)(long, ...) = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
  return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

pid_t wait4(pid_t pid, int* status, int options, struct rusage* usage) {
  if (is_there("REFUSE_WAITS")) {
    errno = EPERM;
    return -1;
  }
  return (pid_t)syscall(SYS_wait4, pid, status, options, usage);
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*), void* argument) {
  if (is_there("REFUSE_THREADS")) return EAGAIN;
  typedef int (*create)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  create real = (create)dlsym(RTLD_NEXT, "pthread_create");
  return real(thread, attributes, start, argument);
}

int epoll_create1(int flags) {
  if (is_there("REFUSE_SETS")) {
    errno = EMFILE;
    return -1;
  }
  return (int)syscall(SYS_epoll_create1, flags);
}

int epoll_ctl(int set, int operation, int fd, struct epoll_event* event) {
  if (operation == EPOLL_CTL_ADD && is_there("REFUSE_NESTED")) {
    char link[32], target[64] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (readlink(link, target, sizeof target - 1) > 0 && strstr(target, "eventpoll") != NULL) {
      errno = ENOSPC;
      return -1;
    }
  }
  int (*real)(int, int, int, struct epoll_event*) =
      (int (*)(int, int, int, struct epoll_event*))dlsym(RTLD_NEXT, "epoll_ctl");
  return real(set, operation, fd, event);
}
