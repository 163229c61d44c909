// Takes its signals from a descriptor: it blocks them all, and hears the first.
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <unistd.h>

int main(void) {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, NULL);
  const int fd = signalfd(-1, &all, 0);
  puts("up");
  fflush(stdout);
  struct signalfd_siginfo info;
  if (read(fd, &info, sizeof info) != sizeof info) return 1;
  printf("took %u\n", info.ssi_signo);
  return 0;
}
