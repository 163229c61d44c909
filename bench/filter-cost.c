// filter-cost WORK COUNT: nanoseconds that one round of this work takes.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const char* file;
static int opened;
static char block[4096];

static void enter(void) { syscall(SYS_getppid); }

static void read_block(void) {
  if (pread(opened, block, sizeof block, 0) != sizeof block) abort();
}

static void use_file(void) {
  struct stat status;
  const int fd = open(file, O_RDONLY);
  if (fd < 0 || fstat(fd, &status) != 0 || read(fd, block, sizeof block) != sizeof block) abort();
  close(fd);
}

static const struct {
  const char* name;
  void (*run)(void);
} works[] = {{"getppid", enter}, {"read", read_block}, {"file", use_file}};

static double nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

int main(int argc, char** argv) {
  if (argc != 3) return 1;
  file = argv[0];
  opened = open(file, O_RDONLY);
  const long count = atol(argv[2]);
  for (size_t i = 0; i < sizeof works / sizeof *works; ++i) {
    if (strcmp(works[i].name, argv[1]) != 0) continue;
    double begin = 0;
    // The first tenth warms up.
    for (long round = -count / 10; round < count; ++round) {
      if (round == 0) begin = nanoseconds();
      works[i].run();
    }
    printf("%.3f\n", (nanoseconds() - begin) / (double)count);
    return 0;
  }
  return 1;
}
