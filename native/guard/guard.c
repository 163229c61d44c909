// The guard: a library that is loaded into a program before all others, and keeps the signals that are named in its
// environment ignored, whatever the program asks for. LD_PRELOAD on Linux, DYLD_INSERT_LIBRARIES on macOS.
//
// It takes the calls of libc by which a program changes a disposition. A call for a guarded signal ignores it once
// more, answers with the action that was there, and remembers what was asked for: that is installed when the guard is
// lifted. Raw system calls pass it by.
//
// It needs no library: one file serves glibc and musl. It is long, as it is all that is loaded into other programs.
#ifdef __APPLE__
#define _DARWIN_C_SOURCE
#else
#define _GNU_SOURCE
#endif
#include "guard/guard.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __APPLE__
#include <crt_externs.h>

#include "guard/inserted_programs.h"
#define PROCESS_ENVIRONMENT (*_NSGetEnviron())
#else
#include <sys/syscall.h>
extern char** environ;
#define PROCESS_ENVIRONMENT environ
#endif

typedef void (*Handler)(int);

enum { kLastSignal = NSIG - 1 > 64 ? 64 : NSIG - 1 };

// SIGKILL is in no set.
static const uint64_t kUnread = ~UINT64_C(0);
static _Atomic uint64_t guarded = kUnread;

static uint64_t bit_of(int signal) { return UINT64_C(1) << (signal - 1); }

enum AskedState { kNothing, kBeingWritten, kAsked };

// What the program asked for last, to be installed when the guard is lifted.
static struct {
  struct sigaction action;
  atomic_int state;  // An AskedState.
} asked[kLastSignal + 1];
static pid_t process;

// The libc's own functions.

#ifdef __APPLE__

// An interposing library's own calls are not interposed (dyld(1)).
static int real_sigaction(int signal, const struct sigaction* action, struct sigaction* old) {
  return sigaction(signal, action, old);
}
static Handler real_signal(int number, Handler handler, int flags) {
  (void)flags;
  return signal(number, handler);
}
static Handler real_sigset(int signal, Handler handler) { return sigset(signal, handler); }
static int real_setsigdefault(posix_spawnattr_t* attributes, const sigset_t* set) {
  return posix_spawnattr_setsigdefault(attributes, set);
}
static void find_real(void) {}

#else

// Before glibc 2.34 dlsym stands in a library of its own, which a program may not have.
#pragma weak dlsym
extern void* _dl_sym(void* handle, const char* name, const void* caller) __attribute__((weak));
extern int __sigaction(int, const struct sigaction*, struct sigaction*) __attribute__((weak));

static void* next(const char* name) {
  void* const found = dlsym != NULL ? dlsym(RTLD_NEXT, name) : _dl_sym != NULL ? _dl_sym(RTLD_NEXT, name, next) : NULL;
  // Used after the call, which so is none in tail position: who calls is told by the return address.
  atomic_signal_fence(memory_order_seq_cst);
  return found;
}

typedef int SigactionFunction(int, const struct sigaction*, struct sigaction*);
typedef Handler SignalFunction(int, Handler);
typedef int SetsigdefaultFunction(posix_spawnattr_t*, const sigset_t*);

static struct {
  SigactionFunction* sigaction;
  SignalFunction* signal;
  SignalFunction* sysv_signal;
  SignalFunction* sigset;
  SetsigdefaultFunction* setsigdefault;
} real;

// Another thread may do the same at the same time: it finds the same.
static void find_real(void) {
  if (real.sigaction != NULL) return;
  real.signal = (SignalFunction*)next("signal");
  real.sysv_signal = (SignalFunction*)next("__sysv_signal");
  real.sigset = (SignalFunction*)next("sigset");
  real.setsigdefault = (SetsigdefaultFunction*)next("posix_spawnattr_setsigdefault");
  SigactionFunction* const found = (SigactionFunction*)next("sigaction");
  real.sigaction = found != NULL ? found : __sigaction;
}

static int real_sigaction(int signal, const struct sigaction* action, struct sigaction* old) {
  if (real.sigaction != NULL) return real.sigaction(signal, action, old);
  errno = ENOSYS;
  return -1;
}

static Handler real_signal(int number, Handler handler, int flags) {
  SignalFunction* const function = flags == (int)SA_RESTART ? real.signal : real.sysv_signal;
  if (function != NULL) return function(number, handler);
  struct sigaction action = {.sa_flags = flags};
  struct sigaction old;
  action.sa_handler = handler;
  return real_sigaction(number, &action, &old) == 0 ? old.sa_handler : SIG_ERR;
}

static Handler real_sigset(int signal, Handler handler) {
  if (real.sigset != NULL) return real.sigset(signal, handler);
  errno = ENOSYS;
  return SIG_ERR;
}

static int real_setsigdefault(posix_spawnattr_t* attributes, const sigset_t* set) {
  return real.setsigdefault != NULL ? real.setsigdefault(attributes, set) : ENOSYS;
}

#endif

// The environment: SIGSHIELD_GUARD=2,15 or, where the start waits for an answer, SIGSHIELD_GUARD=2,15;descriptor,inode.

static uint64_t number_at(char** text) {
  uint64_t number = 0;
  for (; **text >= '0' && **text <= '9'; ++*text) number = number * 10 + (uint64_t)(**text - '0');
  return number;
}

static char* own_variable(void) {
  static const char prefix[] = SIGSHIELD_GUARD_VARIABLE "=";
  for (char** entry = PROCESS_ENVIRONMENT; entry != NULL && *entry != NULL; ++entry) {
    if (strncmp(*entry, prefix, sizeof prefix - 1) == 0) return *entry + sizeof prefix - 1;
  }
  return NULL;
}

// Leaves `text` at what follows the set.
static uint64_t set_at(char** text) {
  uint64_t set = 0;
  for (;;) {
    const uint64_t signal = number_at(text);
    const bool can_be_ignored = signal >= 1 && signal <= kLastSignal && signal != SIGKILL && signal != SIGSTOP;
    if (can_be_ignored) set |= bit_of((int)signal);
    if (**text != ',') return set;
    ++*text;
  }
}

// Another library may ask for a signal before this one's constructor has run.
static uint64_t guarded_set(void) {
  const uint64_t known = atomic_load(&guarded);
  if (known != kUnread) return known;
  find_real();
  char* text = own_variable();
  uint64_t set = text == NULL ? 0 : set_at(&text);
  uint64_t expected = kUnread;
  return atomic_compare_exchange_strong(&guarded, &expected, set) ? set : expected;
}

static bool is_guarded(int signal) {
  return signal >= 1 && signal <= kLastSignal && (guarded_set() & bit_of(signal)) != 0;
}

// A child that was forked and has not executed a program may share this memory (vfork).
static void remember(int signal, const struct sigaction* action) {
  if (getpid() != process) return;
  int state = atomic_load(&asked[signal].state);
  // Another thread, or the one that this handler has interrupted, is at it.
  if (state == kBeingWritten || !atomic_compare_exchange_strong(&asked[signal].state, &state, kBeingWritten)) return;
  asked[signal].action = *action;
  atomic_store(&asked[signal].state, kAsked);
}

static int ignore(int signal, struct sigaction* old) {
  struct sigaction ignored = {.sa_flags = 0};
  ignored.sa_handler = SIG_IGN;
  return real_sigaction(signal, &ignored, old);
}

// The calls that are taken.

static int guarded_sigaction(int signal, const struct sigaction* action, struct sigaction* old) {
  if (!is_guarded(signal) || action == NULL) return real_sigaction(signal, action, old);
  remember(signal, action);
  return ignore(signal, old);
}

static Handler set_handler(int signal, Handler handler, int flags) {
  if (!is_guarded(signal) || handler == SIG_ERR) return real_signal(signal, handler, flags);
  struct sigaction action = {.sa_flags = flags};
  action.sa_handler = handler;
  remember(signal, &action);
  struct sigaction old;
  return ignore(signal, &old) == 0 ? old.sa_handler : SIG_ERR;
}

static Handler guarded_signal(int signal, Handler handler) { return set_handler(signal, handler, (int)SA_RESTART); }

static Handler guarded_sigset(int signal, Handler handler) {
  if (!is_guarded(signal) || handler == SIG_ERR || handler == SIG_HOLD) return real_sigset(signal, handler);
  struct sigaction action = {.sa_flags = 0};
  action.sa_handler = handler;
  // It takes the signal out of the mask too.
  const Handler old = real_sigset(signal, SIG_IGN);
  remember(signal, &action);
  return old;
}

// posix_spawn resets these in the child where no library can see it.
static int guarded_setsigdefault(posix_spawnattr_t* attributes, const sigset_t* set) {
  const uint64_t guarded_now = guarded_set();
  if (set == NULL || guarded_now == 0) return real_setsigdefault(attributes, set);
  sigset_t rest = *set;
  for (int signal = 1; signal <= kLastSignal; ++signal) {
    if ((guarded_now & bit_of(signal)) != 0) (void)sigdelset(&rest, signal);
  }
  return real_setsigdefault(attributes, &rest);
}

#ifdef __APPLE__

#define TAKE(replacement, name)                                              \
  __attribute__((used, section("__DATA,__interpose"))) static const struct { \
    const void* replacing;                                                   \
    const void* replaced;                                                    \
  } interposed_##name = {(const void*)(uintptr_t)&(replacement), (const void*)(uintptr_t)&(name)}

TAKE(guarded_sigaction, sigaction);
TAKE(guarded_signal, signal);
TAKE(guarded_sigset, sigset);
TAKE(guarded_setsigdefault, posix_spawnattr_setsigdefault);
// bsd_signal is in no header.
extern Handler bsd_signal(int, Handler);
TAKE(guarded_signal, bsd_signal);

TAKE(inserted_execve, execve);
TAKE(inserted_posix_spawn, posix_spawn);
TAKE(inserted_posix_spawnp, posix_spawnp);

#else

static Handler guarded_sysv_signal(int signal, Handler handler) {
  return set_handler(signal, handler, (int)(SA_RESETHAND | SA_NODEFER));
}

#define TAKE(replacement, name, result, ...) \
  result name(__VA_ARGS__) __attribute__((alias(#replacement), visibility("default")))

#pragma GCC diagnostic ignored "-Wmissing-attributes"
TAKE(guarded_sigaction, sigaction, int, int, const struct sigaction* restrict, struct sigaction* restrict);
TAKE(guarded_signal, signal, Handler, int, Handler);
TAKE(guarded_signal, bsd_signal, Handler, int, Handler);
TAKE(guarded_signal, ssignal, Handler, int, Handler);
TAKE(guarded_sysv_signal, sysv_signal, Handler, int, Handler);
TAKE(guarded_sysv_signal, __sysv_signal, Handler, int, Handler);
TAKE(guarded_sigset, sigset, Handler, int, Handler);
TAKE(guarded_setsigdefault, posix_spawnattr_setsigdefault, int, posix_spawnattr_t* restrict, const sigset_t* restrict);

#endif

// For sigshield itself, and for any program that finds them by dlsym(3).

__attribute__((visibility("default"))) uint64_t sigshield_guard_signals(void) { return guarded_set(); }

__attribute__((visibility("default"))) void sigshield_guard_lift(uint64_t signals) {
  const uint64_t lifted = atomic_fetch_and(&guarded, ~signals) & signals;
#ifndef __APPLE__
  // That of another copy of sigshield, which is loaded too and reads the same variable.
  void (*const other)(uint64_t) = (void (*)(uint64_t))next("sigshield_guard_lift");
  if (other != NULL) other(signals);
#endif
  for (int signal = 1; signal <= kLastSignal; ++signal) {
    if ((lifted & bit_of(signal)) == 0 || atomic_load(&asked[signal].state) != kAsked) continue;
    (void)real_sigaction(signal, &asked[signal].action, NULL);
  }
}

// The answer to the start.

// Whether a call, as the program makes it, comes here.
static bool is_in_force(int signal) {
#ifdef __APPLE__
  return dlsym(RTLD_DEFAULT, "sigaction") == (void*)(uintptr_t)guarded_sigaction && signal != 0;
#else
  SigactionFunction* volatile const as_the_program = sigaction;
  struct sigaction action = {.sa_flags = 0};
  action.sa_handler = SIG_DFL;
  (void)as_the_program(signal, &action, NULL);
  const bool held = real_sigaction(signal, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
  if (!held) (void)ignore(signal, NULL);
  atomic_store(&asked[signal].state, kNothing);
  return held;
#endif
}

static bool is_pipe(int fd, uint64_t inode) {
  struct stat status;
#ifdef __APPLE__
  const bool known = fstat(fd, &status) == 0;
#else
  // Before glibc 2.33 there is no function of this name.
  const bool known = syscall(SYS_fstat, fd, &status) == 0;
#endif
  return known && S_ISFIFO(status.st_mode) && (uint64_t)status.st_ino == inode;
}

static void answer(int fd, bool in_force) {
  // The parent may be gone.
  struct sigaction pipe_action;
  const bool ignored = real_sigaction(SIGPIPE, NULL, &pipe_action) == 0 && ignore(SIGPIPE, NULL) == 0;
  const ssize_t written = write(fd, in_force ? "1" : "0", 1);
  (void)written;
  if (ignored) (void)real_sigaction(SIGPIPE, &pipe_action, NULL);
}

__attribute__((constructor)) static void load(void) {
  process = getpid();
  const uint64_t set = guarded_set();
  char* text = own_variable();
  if (set == 0 || text == NULL) return;
  int first = 0;
  for (int signal = kLastSignal; signal >= 1; --signal) {
    if ((set & bit_of(signal)) == 0) continue;
    (void)ignore(signal, NULL);
    first = signal;
  }
  (void)set_at(&text);
  if (*text != ';') return;
  // What the program starts is to find the set alone.
  *text++ = '\0';
  const int fd = (int)number_at(&text);
  if (*text++ != ',') return;
  if (!is_pipe(fd, number_at(&text))) return;
  answer(fd, is_in_force(first));
  close(fd);
}
