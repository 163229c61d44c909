// Preloaded into a parent: refuses one system call of the addon's, once. Calls of Node and of the libraries pass. It is
// long, as a library that is preloaded is one file.
//
// Those by libc are known by where they return to. Those without libc, in the child half too, go to a thread here by a
// seccomp filter that knows the addon's addresses (seccomp_unotify(2)).
//
// The file that FAULTS names is the struct below, and the test's to write and to read.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/types.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

// As in faults-parent.mjs.
struct control {
  char call[64];     // Which is refused.
  char always[128];  // And with these, each time: "call=errno …"; -1: it is not made, and answered with 0.
  int32_t error;     // How.
  int32_t nth;       // At which use from now on; 0: not at all.
  int32_t used;
  int32_t refused;
  char seen[8192];  // All that were made, by name.
};

static struct control* control;
static uintptr_t text_start;
static uintptr_t text_end;

struct name {
  long number;
  const char* text;
};

#define NAME(call) {SYS_##call, #call}
static const struct name names[] = {
    NAME(set_tid_address),
    NAME(rt_sigaction),
    NAME(rt_sigprocmask),
    NAME(setsid),
    NAME(setpgid),
    NAME(getpgid),
    NAME(openat),
    NAME(ioctl),
    NAME(close),
    NAME(fcntl),
    NAME(dup3),
#ifdef SYS_dup2
    NAME(dup2),
#endif
    NAME(capget),
    NAME(getdents64),
    NAME(prlimit64),
    NAME(setgroups),
    NAME(getgroups),
    NAME(getresuid),
    NAME(getresgid),
    NAME(setresgid),
    NAME(setresuid),
    NAME(setgid),
    NAME(setuid),
    NAME(prctl),
    NAME(getppid),
    NAME(ppoll),
#ifdef SYS_poll
    NAME(poll),
#endif
    NAME(seccomp),
    NAME(write),
    NAME(chdir),
    NAME(execve),
    NAME(futex),
    NAME(waitid),
    NAME(exit_group),
    NAME(getpid),
    NAME(gettid),
    NAME(uname),
    NAME(restart_syscall),
    {434, "pidfd_open"},
    {436, "close_range"},
    {437, "openat2"},
    {424, "pidfd_send_signal"},
};

static const char* name_of(long number) {
  for (size_t i = 0; i < sizeof names / sizeof *names; ++i) {
    if (names[i].number == number) return names[i].text;
  }
  static _Thread_local char text[32];
  snprintf(text, sizeof text, "unknown %ld", number);
  return text;
}

// What a call is for, where it has several uses.
static const char* purpose(const char* call, const __u64* args) {
  if (strcmp(call, "fcntl") == 0) {
    switch ((int)args[1]) {
      case F_GETFD:
        return args[0] >= 1024 ? "/F_GETFD of a high one" : "/F_GETFD";
      case F_SETFD:
        return args[2] ? "/FD_CLOEXEC" : "/F_SETFD";
      case F_GETFL:
        return "/F_GETFL";
      case F_SETFL:
        return "/F_SETFL";
      case F_DUPFD_CLOEXEC:
        return "/F_DUPFD_CLOEXEC";
      default:
        return "/?";
    }
  }
  if (strcmp(call, "openat") == 0) {
    if (args[2] & O_DIRECTORY) return "/proc";
    return args[2] & O_CLOEXEC ? "/tty" : "/null";
  }
  if (strcmp(call, "open") == 0) return strcmp((const char*)args[0], "/dev/tty") == 0 ? "/tty" : "/proc";
  if (strcmp(call, "clone") == 0) {
    if (args[2] & CLONE_FILES) return args[2] & CLONE_PIDFD ? "/pidfd,files" : "/files";
    return args[2] & CLONE_PIDFD ? "/pidfd" : "";
  }
  if (strcmp(call, "close_range") == 0) return args[2] & CLOSE_RANGE_UNSHARE ? "/UNSHARE" : "";
  if (strcmp(call, "seccomp") == 0) return args[1] ? "/SPEC_ALLOW" : "";
  if (strcmp(call, "waitid") == 0) {
    if (args[0] == 3 && args[1] == INT32_MAX) return "/probe";
    switch (args[3] & (WEXITED | WSTOPPED | WNOWAIT)) {
      case WEXITED:
        return "/reap";
      case WEXITED | WNOWAIT:
        return "/look";
      case WEXITED | WSTOPPED | WNOWAIT:
        return "/exists";
      case WSTOPPED:
        return "/stops";
      default:
        return "/stopped";
    }
  }
  if (strcmp(call, "pidfd_send_signal") == 0) return args[3] ? "/group" : args[1] ? "" : "/exists";
  if (strcmp(call, "kill") == 0) return (int)args[0] < 0 ? "/group" : "";
  if (strcmp(call, "ioctl") == 0) return args[1] == FIONREAD ? "/FIONREAD" : "";
  if (strcmp(call, "epoll_ctl") == 0) return args[1] == EPOLL_CTL_ADD ? "/ADD" : "/DEL";
  if (strcmp(call, "prctl") == 0) {
    switch ((int)args[0]) {
      case PR_SET_PDEATHSIG:
        return "/PDEATHSIG";
      case PR_SET_NO_NEW_PRIVS:
        return "/NO_NEW_PRIVS";
      case PR_CAP_AMBIENT:
        return "/AMBIENT";
      case PR_GET_SECCOMP:
        return "/GET_SECCOMP";
      case PR_SET_SECCOMP:
        return "/SET_SECCOMP";
      case PR_GET_SPECULATION_CTRL:
        return "/GET_SPECULATION_CTRL";
      default:
        return "/?";
    }
  }
  return "";
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

// The error with which this use is refused; 0: it is made.
static int error_for(const char* half, const char* call, const __u64* args) {
  char name[64];
  snprintf(name, sizeof name, "%s:%s%s", half, call, purpose(call, args));
  char line[68];
  snprintf(line, sizeof line, "%s\n", name);
  int error = 0;
  pthread_mutex_lock(&lock);
  if (!strstr(control->seen, line) && strlen(control->seen) + strlen(line) < sizeof control->seen) {
    strcat(control->seen, line);
  }
  const size_t length = strlen(name);
  for (const char* entry = control->always; entry && *entry; entry = strchr(entry, ' '), entry += entry != NULL) {
    if (strncmp(entry, name, length) == 0 && entry[length] == '=') error = atoi(entry + length + 1);
  }
  if (control->nth != 0 && strcmp(control->call, name) == 0 && ++control->used == control->nth) {
    control->refused = 1;
    error = control->error;
  }
  pthread_mutex_unlock(&lock);
  return error;
}

// Other threads have a half of their own: those of workers, and of an exit event.
static const char* half_of(pid_t thread) {
  if (thread == getpid()) return "parent";
  char path[64];
  snprintf(path, sizeof path, "/proc/self/task/%d", thread);
  return access(path, F_OK) == 0 ? "worker" : "child";
}

// A program that the child has become has the filter still, and may have its own code at the addon's addresses: on
// arm64 there are 2^18 places to which libraries are loaded. Where its memory can't be read it is not known to be
// another.
static bool is_another_program(pid_t process, uintptr_t address) {
  enum { kReach = 128 };
  char there[2 * kReach];
  const uintptr_t start = address - kReach < text_start ? text_start : address - kReach;
  const uintptr_t end = address + kReach > text_end ? text_end : address + kReach;
  const struct iovec local = {there, end - start};
  const struct iovec remote = {(void*)start, end - start};
  const ssize_t length = process_vm_readv(process, &local, 1, &remote, 1, 0);
  if (length < 0) return errno == EFAULT;
  return (size_t)length < end - start || memcmp(there, (const void*)start, end - start) != 0;
}

static int answer_to(const struct seccomp_data* call, pid_t thread) {
  const char* const half = half_of(thread);
  const bool is_child = strcmp(half, "child") == 0;
  if (is_child && is_another_program(thread, call->instruction_pointer)) return 0;
  return error_for(half, name_of(call->nr), call->args);
}

static void* answer(void* argument) {
  const int listener = (int)(intptr_t)argument;
  for (;;) {
    struct seccomp_notif asked = {0};
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked) != 0) continue;
    const int error = answer_to(&asked.data, (pid_t)asked.pid);
    struct seccomp_notif_resp answer = {.id = asked.id, .error = error < 0 ? 0 : -error};
    if (error == 0) answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
  }
  return NULL;
}

static void fail(const char* what) {
  perror(what);
  abort();
}

#define LOAD(position) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (position))
#define UNLESS(condition, value, yes, no) BPF_JUMP(BPF_JMP | (condition) | BPF_K, (uint32_t)(value), yes, no)

static void install(void) {
  if (text_start >> 32 != text_end >> 32) fail("the addon lies across a boundary of 4 GiB: run it again");
  const size_t address = offsetof(struct seccomp_data, instruction_pointer);
  struct sock_filter code[] = {
      LOAD(address + 4),
      UNLESS(BPF_JEQ, text_start >> 32, 0, 4),
      LOAD(address),
      UNLESS(BPF_JGE, text_start, 0, 2),
      UNLESS(BPF_JGE, text_end, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const struct sock_fprog program = {sizeof code / sizeof *code, code};
  long listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
  if (listener < 0 && errno == EACCES) {
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
  }
  if (listener < 0) fail("seccomp");
  // The filter is the calling thread's, so this one is not asked about.
  pthread_t thread;
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  if (pthread_create(&thread, NULL, answer, (void*)(intptr_t)listener) != 0) fail("pthread_create");
  pthread_sigmask(SIG_SETMASK, &before, NULL);
}

// The executable part of the file that holds this address.
static int find_text(const char* path) {
  FILE* maps = fopen("/proc/self/maps", "re");
  char line[4096];
  while (maps && fgets(line, sizeof line, maps)) {
    uintptr_t start;
    uintptr_t end;
    char mode[5];
    if (sscanf(line, "%lx-%lx %4s", &start, &end, mode) != 3 || mode[2] != 'x' || !strstr(line, path)) continue;
    text_start = start;
    text_end = end;
  }
  if (maps) fclose(maps);
  return text_start != 0;
}

void* dlopen(const char* path, int flags) {
  static void* (*real)(const char*, int);
  if (!real) real = (void* (*)(const char*, int))dlsym(RTLD_NEXT, "dlopen");
  void* const library = real(path, flags);
  if (!library || !path || text_start || !strstr(path, "sigshield.node")) return library;
  const int file = open(getenv("FAULTS"), O_RDWR | O_CLOEXEC);
  control = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (control == MAP_FAILED || !find_text("sigshield.node")) fail("faults");
  install();
  return library;
}

// For the parent alone.
__attribute__((constructor)) static void leave_environment(void) { unsetenv("LD_PRELOAD"); }

typedef long function(long, long, long, long, long, long);

static long call(function** real, const char* symbol, const char* name, const void* from, const __u64* args) {
  const bool is_ours = (uintptr_t)from >= text_start && (uintptr_t)from < text_end;
  const int error = is_ours ? error_for(half_of(gettid()), name, args) : 0;
  if (error != 0) {
    errno = error;
    return -1;
  }
  if (!*real) *real = (function*)dlsym(RTLD_NEXT, symbol);
  return (*real)((long)args[0], (long)args[1], (long)args[2], (long)args[3], (long)args[4], (long)args[5]);
}

// All arguments are in registers on both machines, whatever their types, and however many.
#define INTERPOSE(symbol, name)                                                        \
  long faulty_##symbol(long, long, long, long, long, long) __asm__(#symbol);           \
  long faulty_##symbol(long a, long b, long c, long d, long e, long f) {               \
    static function* real;                                                             \
    const __u64 args[] = {(__u64)a, (__u64)b, (__u64)c, (__u64)d, (__u64)e, (__u64)f}; \
    return call(&real, #symbol, name, __builtin_return_address(0), args);              \
  }

INTERPOSE(clone, "clone")
INTERPOSE(dup3, "dup3")
INTERPOSE(epoll_create1, "epoll_create1")
INTERPOSE(epoll_ctl, "epoll_ctl")
INTERPOSE(epoll_pwait, "epoll_pwait")
INTERPOSE(eventfd, "eventfd")
INTERPOSE(eventfd_write, "eventfd_write")
INTERPOSE(faccessat, "faccessat")
INTERPOSE(fchmod, "fchmod")
INTERPOSE(fcntl, "fcntl")
INTERPOSE(fcntl64, "fcntl")
INTERPOSE(fstat, "fstat")
INTERPOSE(fstatfs64, "fstatfs")
INTERPOSE(fstatfs, "fstatfs")
INTERPOSE(getpgid, "getpgid")
INTERPOSE(getrlimit, "getrlimit")
INTERPOSE(getrlimit64, "getrlimit")
INTERPOSE(getrusage, "getrusage")
INTERPOSE(ioctl, "ioctl")
INTERPOSE(kill, "kill")
INTERPOSE(mprotect, "mprotect")
INTERPOSE(open, "open")
INTERPOSE(open64, "open")
INTERPOSE(pipe2, "pipe2")
INTERPOSE(poll, "poll")
INTERPOSE(raise, "raise")
INTERPOSE(read, "read")
INTERPOSE(setpgid, "setpgid")
INTERPOSE(setsockopt, "setsockopt")
INTERPOSE(socketpair, "socketpair")
INTERPOSE(stat, "stat")
INTERPOSE(stat64, "stat")
INTERPOSE(tcgetattr, "tcgetattr")
INTERPOSE(tcgetpgrp, "tcgetpgrp")
INTERPOSE(tcsetattr, "tcsetattr")
INTERPOSE(tcsetpgrp, "tcsetpgrp")
INTERPOSE(wait4, "wait4")
INTERPOSE(waitid, "waitid")
INTERPOSE(waitpid, "waitpid")
INTERPOSE(write, "write")

// As they are called since glibc 2.33, and before, for which the published addon is built.
INTERPOSE(fstat64, "fstat")
INTERPOSE(__fxstat, "fstat")
INTERPOSE(__fxstat64, "fstat")
INTERPOSE(__xstat, "stat")
INTERPOSE(__xstat64, "stat")

// In place of its -1 it returns MAP_FAILED, which is the same.
INTERPOSE(mmap, "mmap")
INTERPOSE(mmap64, "mmap")

long faulty_syscall(long, long, long, long, long, long, long) __asm__("syscall");
long faulty_syscall(long number, long a, long b, long c, long d, long e, long f) {
  static long (*real)(long, long, long, long, long, long, long);
  if (!real) real = (long (*)(long, long, long, long, long, long, long))dlsym(RTLD_NEXT, "syscall");
  const uintptr_t from = (uintptr_t)__builtin_return_address(0);
  const __u64 args[] = {(__u64)a, (__u64)b, (__u64)c, (__u64)d, (__u64)e, (__u64)f};
  const bool is_ours = from >= text_start && from < text_end;
  const int error = is_ours ? error_for(half_of(gettid()), name_of(number), args) : 0;
  if (error == 0) return real(number, a, b, c, d, e, f);
  errno = error;
  return -1;
}
