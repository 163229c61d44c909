// tracing PID: traces a process and says so, then holds it whatever becomes of it, until its standard input ends.
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc < 2 || ptrace(PTRACE_SEIZE, atoi(argv[1]), NULL, NULL) != 0) {
    perror("PTRACE_SEIZE");
    return 1;
  }
  puts("traced");
  fflush(stdout);
  char nothing;
  while (read(0, &nothing, 1) > 0) continue;
  return 0;
}
