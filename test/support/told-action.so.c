// Preloaded into a program: strsignal() tells the action that the kernel has for the signal, all of it, in hexadecimal.
// No file of /proc shows its flags and its mask.
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

char* strsignal(int signal) {
  static char text[128];
  struct {
    unsigned long handler, flags, restorer, mask;
  } action = {0, 0, 0, 0};
  syscall(SYS_rt_sigaction, signal, NULL, &action, sizeof(action.mask));
  snprintf(text, sizeof(text), "%lx %lx %lx %lx", action.handler, action.flags, action.restorer, action.mask);
  return text;
}
