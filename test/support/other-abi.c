// Tries to handle SIGINT, SIGTERM and SIGUSR1 by the system calls of the machine's other ABIs, and reports as JSON
// which of them have a handler after each, and what the call returned. x86-64 only.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
struct kernel_sigaction {
  uint64_t handler, flags, restorer, mask;
};

static int has_handler(int signal) {
  struct kernel_sigaction found = {0};
  syscall(SYS_rt_sigaction, signal, NULL, &found, 8);
  return found.handler > 1;
}

static long i386(long number, long a, long b, long c, long d) {
  long result;
  // int 0x80 takes registers of 32 bits, and clears r8 to r11.
  __asm__ volatile("int $0x80"
                   : "=a"(result)
                   : "a"(number), "b"(a), "c"(b), "d"(c), "S"(d)
                   : "r8", "r9", "r10", "r11", "memory");
  return result;
}

int main(void) {
  // An address that a call of 32 bits can name.
  uint32_t* action = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  if (action == MAP_FAILED) return 1;
  action[0] = 0x1000;
  const long low = (long)action;
  const int x32 = 0x40000000 | 512;
  struct {
    const char* name;
    int signal;
    long result;
  } tries[] = {
      {"rt_sigaction", SIGINT, i386(174, SIGINT, low, 0, 8)},
      {"sigaction", SIGTERM, i386(67, SIGTERM, low, 0, 0)},
      {"signal", SIGUSR1, i386(48, SIGUSR1, 0x1000, 0, 0)},
      {"x32", SIGUSR2, syscall(x32, SIGUSR2, action, NULL, 8) == 0 ? 0 : -errno},
  };
  putchar('{');
  for (unsigned i = 0; i < sizeof tries / sizeof *tries; ++i) {
    printf("%s\"%s\":{\"result\":%ld,\"handled\":%s}", i ? "," : "", tries[i].name, tries[i].result,
           has_handler(tries[i].signal) ? "true" : "false");
  }
  puts("}");
  return 0;
}
#else
int main(void) {
  puts("{}");
  return 0;
}
#endif
