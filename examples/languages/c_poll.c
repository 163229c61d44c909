// A worker in C: cc -o c_poll c_poll.c
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

int main(void) {
  const char* const exit_fd = getenv("SIGSHIELD_EXIT_FD");
  if (exit_fd == NULL) return 1;
  struct pollfd event = {.fd = atoi(exit_fd), .events = POLLIN};
  puts("ready");
  fflush(stdout);
  while (poll(&event, 1, 1000) <= 0) {
    // the next job
  }
  puts("leaving");
  return 0;
}
