// Lives on without its first thread, which the kernel shows as a zombie.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static void* live(void* unused) {
  (void)unused;
  puts("up");
  fflush(stdout);
  for (;;) pause();
  return NULL;
}

int main(void) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, live, NULL) != 0) return 1;
  pthread_exit(NULL);
}
