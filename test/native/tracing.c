// tracing PID [on]: traces a process and says so, then holds it whatever becomes of it, until its standard input ends;
// with `on` it lets it go on until it has ended.
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc < 2 || ptrace(PTRACE_SEIZE, atoi(argv[1]), NULL, NULL) != 0) {
    perror("PTRACE_SEIZE");
    return 1;
  }
  puts("traced");
  fflush(stdout);
  if (argc > 2) {
    int status;
    while (waitpid(atoi(argv[1]), &status, __WALL) > 0 && WIFSTOPPED(status)) {
      const int is_event = status >> 16;
      ptrace(PTRACE_CONT, atoi(argv[1]), NULL, is_event ? 0L : (long)WSTOPSIG(status));
    }
    return 0;
  }
  char nothing;
  while (read(0, &nothing, 1) > 0) continue;
  return 0;
}
