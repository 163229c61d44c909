// Tries to handle SIGINT, SIGTERM and SIGUSR1 by the system calls of the machine's other ABIs, and reports as JSON
// which of them have a handler after each, and what the call returned: ENOSYS too where the machine faults it, as PVM's
// guests do. With an argument by that one alone. x86-64 only.
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
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

static sigjmp_buf before_fault;

static void leave(int signal) { siglongjmp(before_fault, signal); }

static long i386(long number, long a, long b, long c, long d) {
  long result;
  if (sigsetjmp(before_fault, 1) != 0) return -ENOSYS;
  // int 0x80 takes registers of 32 bits, and clears r8 to r11.
  __asm__ volatile("int $0x80"
                   : "=a"(result)
                   : "a"(number), "b"(a), "c"(b), "d"(c), "S"(d)
                   : "r8", "r9", "r10", "r11", "memory");
  return result;
}

static long call(int index, int signal, uint32_t* action) {
  const long low = (long)action;
  const int x32 = 0x40000000 | 512;
  switch (index) {
    case 0:
      return i386(174, signal, low, 0, 8);
    case 1:
      return i386(67, signal, low, 0, 0);
    case 2:
      return i386(48, signal, 0x1000, 0, 0);
    default:
      return syscall(x32, signal, action, NULL, 8) == 0 ? 0 : -errno;
  }
}

int main(int argc, char** argv) {
  // An address that a call of 32 bits can name.
  uint32_t* action = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  if (action == MAP_FAILED) return 1;
  action[0] = 0x1000;
  signal(SIGSEGV, leave);
  const char* const names[] = {"rt_sigaction", "sigaction", "signal", "x32"};
  const int signals[] = {SIGINT, SIGTERM, SIGUSR1, SIGUSR2};
  putchar('{');
  const char* separator = "";
  for (int i = 0; i < 4; ++i) {
    if (argc > 1 && strcmp(argv[1], names[i]) != 0) continue;
    printf("%s\"%s\":{\"result\":%ld", separator, names[i], call(i, signals[i], action));
    printf(",\"handled\":%s}", has_handler(signals[i]) ? "true" : "false");
    separator = ",";
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
