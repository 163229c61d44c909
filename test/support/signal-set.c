// Says the numbers of the signals that it ignores, or by "blocked" those in its mask, as it was started with them.
#include <signal.h>
#include <stdio.h>
#include <string.h>

static int is_ignored(int number) {
  struct sigaction action;
  // libc answers for none that are its own.
  return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

int main(int argc, char** argv) {
  const int tells_mask = argc > 1 && strcmp(argv[1], "blocked") == 0;
  sigset_t mask;
  sigprocmask(SIG_BLOCK, NULL, &mask);
  const char* gap = "";
  for (int number = 1; number < NSIG; ++number) {
    if (tells_mask ? sigismember(&mask, number) != 1 : !is_ignored(number)) continue;
    printf("%s%d", gap, number);
    gap = " ";
  }
  putchar('\n');
  return 0;
}
