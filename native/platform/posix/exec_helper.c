// The exec helper: the child half of a start by posix_spawn(2). It is started with all signals blocked and at their
// default actions, with the program's descriptors and the report pipe's alone, and becomes the program.
//
// Programs of setuid, or with a __RESTRICT segment, are not to be made of it: it must do what its parent says.
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "platform/posix/become.h"
#include "platform/posix/exec_plan.h"

static unsigned nibble(char digit) { return (unsigned)(digit <= '9' ? digit - '0' : digit - 'a' + 10); }

static void read_hexadecimal(const char* text, void* memory, size_t size) {
  unsigned char* bytes = memory;
  for (size_t i = 0; i < size && text[0] != '\0' && text[1] != '\0'; ++i, text += 2) {
    bytes[i] = (unsigned char)(nibble(text[0]) << 4 | nibble(text[1]));
  }
}

// What can't be made blocking is given as it is, as by libuv.
static void make_stdio_blocking(void) {
  for (int fd = 0; fd <= 2; ++fd) {
    const int flags = fcntl(fd, F_GETFL);
    if (flags >= 0 && (flags & O_NONBLOCK) != 0) fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
  }
}

// A pipe takes so few bytes at once. A parent that is not there to read them needs none: SIGPIPE is blocked.
static int give_up(int report_fd, struct ExecReport report) {
  while (write(report_fd, &report, sizeof report) < 0 && errno == EINTR) continue;
  return 127;
}

int main(int argc, char** argv) {
  if (argc < 4) return 127;
  struct ExecPlan plan = {0};
  read_hexadecimal(argv[1], &plan, sizeof plan);
  char** const candidates = argv + 4;
  char** const arguments = candidates + plan.candidate_count;
  char** const environment = arguments + plan.argument_count;
  if (argc != 4 + plan.candidate_count + plan.argument_count + plan.environment_count) return 127;
  fcntl(plan.report_fd, F_SETFD, FD_CLOEXEC);

  const size_t group_count = plan.group_count > 0 ? (size_t)plan.group_count : 0;
  gid_t* const groups = calloc(group_count + 1, sizeof *groups);
  // The environment ends where the helper's own arguments end. The arguments get an end of their own.
  char** const list = calloc((size_t)plan.argument_count + 2, sizeof *list);
  struct ExecReport report = {EXEC_EXECVE, ENOMEM};
  if (groups != NULL && list != NULL) {
    read_hexadecimal(argv[2], groups, group_count * sizeof *groups);
    for (int i = 0; i < plan.argument_count; ++i) list[i + 1] = arguments[i];
    make_stdio_blocking();
    report = sigshield_become(&plan, groups, argv[3], candidates, list, environment);
  }
  free(list);
  free(groups);
  return give_up(plan.report_fd, report);
}
