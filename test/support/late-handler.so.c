// Preloaded into a program: strsignal() has the signal come to another thread than its own, and returns while that one
// stands in libuv's handler, before the lock that the handler takes. Called again, it lets it go on; and once more, it
// returns when it is done.
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { kNone, kSent, kStands, kGoesOn, kDone };
static atomic_int state;
static _Thread_local int stood;

static void wait_for(int wanted) {
  while (atomic_load(&state) != wanted) sched_yield();
}

// The lock is a pipe with one byte in it.
ssize_t read(int fd, void* to, size_t size) {
  int sent = kSent;
  if (size == 1 && syscall(SYS_gettid) != getpid() && atomic_compare_exchange_strong(&state, &sent, kStands)) {
    stood = 1;
    wait_for(kGoesOn);
  }
  return syscall(SYS_read, fd, to, size);
}

// The lock is given back by one byte. What comes before it is a message for each who listens.
ssize_t write(int fd, const void* from, size_t size) {
  const ssize_t written = syscall(SYS_write, fd, from, size);
  if (!stood) return written;
  if (size > 1) {
    // So that the loop tells of it before the handler is done. The test asks for the same where it comes later.
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
  } else {
    stood = 0;
    atomic_store(&state, kDone);
  }
  return written;
}

char* strsignal(int signal) {
  switch (atomic_load(&state)) {
    case kNone:
      break;
    case kStands:
      atomic_store(&state, kGoesOn);
      return "goes on";
    default:
      wait_for(kDone);
      return "done";
  }
  sigset_t set, before;
  sigemptyset(&set);
  sigaddset(&set, signal);
  pthread_sigmask(SIG_BLOCK, &set, &before);
  atomic_store(&state, kSent);
  kill(getpid(), signal);
  wait_for(kStands);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return "stands";
}
