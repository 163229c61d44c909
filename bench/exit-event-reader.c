// Says "ready" by closing its output, then waits until its exit event is set, or a message comes over Node's channel.
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

int main(void) {
  const char* fd = getenv("SIGSHIELD_EXIT_FD");
  if (fd == NULL) fd = getenv("NODE_CHANNEL_FD");
  struct pollfd event = {.fd = fd == NULL ? -1 : atoi(fd), .events = POLLIN};
  close(STDOUT_FILENO);
  while (poll(&event, 1, -1) <= 0) continue;
  return 0;
}
