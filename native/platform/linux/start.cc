// The parent half: lays out all that the child needs, clones, and learns what came of it.
#include "core/start.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <string_view>

#include "core/terminal.h"
#include "platform/linux/child.h"
#include "platform/linux/release.h"
#include "platform/linux/seccomp_filter.h"

namespace sigshield {

namespace {

// The child half calls nothing deep; the kernel puts no signal frame here as all signals are blocked.
constexpr std::size_t kStackSize = 64 * 1024;
constexpr std::size_t kGuardSize = 64 * 1024;  // The largest page size of the supported architectures.

// A stack for the child half, with a guard below it.
class ChildStack {
 public:
  ChildStack() = default;

  // False when there is no memory for it.
  [[nodiscard]] bool map() {
    if (base_ != nullptr) return true;
    void* const memory =
        mmap(nullptr, kGuardSize + kStackSize, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (memory == MAP_FAILED) return false;
    base_ = static_cast<char*>(memory);
    if (mprotect(base_ + kGuardSize, kStackSize, PROT_READ | PROT_WRITE) != 0) unmap();
    return base_ != nullptr;
  }
  ~ChildStack() { unmap(); }
  ChildStack(const ChildStack&) = delete;
  ChildStack& operator=(const ChildStack&) = delete;

  [[nodiscard]] void* top() const { return base_ + kGuardSize + kStackSize; }

 private:
  void unmap() {
    if (base_ != nullptr) munmap(base_, kGuardSize + kStackSize);
    base_ = nullptr;
  }

  char* base_ = nullptr;
};

std::string search_path(const StringList& environment) {
  constexpr std::string_view prefix = "PATH=";
  for (std::size_t i = 0; i < environment.size(); ++i) {
    const std::string_view entry{environment[i]};
    if (entry.starts_with(prefix)) return std::string{entry.substr(prefix.size())};
  }
  std::string path(confstr(_CS_PATH, nullptr, 0), '\0');
  confstr(_CS_PATH, path.data(), path.size());
  path.pop_back();
  return path;
}

// The paths that execvp(3) would try, as a block for StringList. An empty entry of PATH is the working directory.
std::string candidate_paths(const std::string& file, const StringList& environment) {
  std::string block;
  if (file.find('/') != std::string::npos) {
    append_string(block, file);
    return block;
  }
  const std::string path = search_path(environment);
  block.reserve(2048);
  for (std::size_t start = 0; start <= path.size();) {
    const std::size_t end = std::min(path.find(':', start), path.size());
    // execvp of glibc skips what can't be a path.
    if (end - start < PATH_MAX) {
      if (end > start) block.append(path, start, end - start).push_back('/');
      append_string(block, file);
    }
    start = end + 1;
  }
  return block;
}

std::vector<char*> shell_arguments(const StringList& arguments) {
  static char shell[] = "/bin/sh";
  std::vector<char*> list{shell, nullptr};
  for (std::size_t i = 1; i < arguments.size(); ++i) list.push_back(arguments[i]);
  list.push_back(nullptr);
  return list;
}

// Checked before anything is opened here: a number that is not open could become one of our own, which the child must
// not get.
bool all_open(const std::vector<int>& descriptors) {
  return std::all_of(descriptors.begin(), descriptors.end(),
                     [](int descriptor) { return descriptor < 0 || fcntl(descriptor, F_GETFD) >= 0; });
}

// libuv 1.51 and newer gives the pipes of children a size, which programs see as backpressure; 1.50 and older do not.
bool has_sized_pipes() { return uv_version() >= 0x013300; }

void set_pipe_size(int fd) {
  // Only advice: a pipe of another size works too.
  const int size = 64 * 1024;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

// Replaces each kNewPipe by the child's end of a socket pair.
bool open_child_pipes(std::vector<int>& descriptors, std::vector<FileDescriptor>& parent_ends,
                      std::vector<FileDescriptor>& child_ends) {
  for (int& descriptor : descriptors) {
    if (descriptor != kNewPipe) continue;
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return false;
    parent_ends.emplace_back(ends[0]);
    child_ends.emplace_back(ends[1]);
    if (has_sized_pipes()) {
      for (const int end : ends) set_pipe_size(end);
    }
    descriptor = ends[1];
  }
  return true;
}

pid_t clone_child(const ChildStack& stack, ChildPlan& plan, int* pidfd) {
  // CLONE_VM: the cost does not grow with the parent's memory. Legacy clone: container profiles refuse clone3.
  // No CLONE_VFORK: its wait can't be interrupted. A Ctrl-Z in this window stops the child before execve, and the
  // parent, which only the child could wake, never stops: the shell waits for it for ever. Release waits instead.
  constexpr int kFlags = CLONE_VM | CLONE_CHILD_CLEARTID | SIGCHLD;
  const pid_t pid = clone(child_main, stack.top(), kFlags | CLONE_PIDFD, &plan, pidfd, nullptr, Release::word());
  if (pid >= 0 || errno != EINVAL) return pid;
  *pidfd = -1;
  return clone(child_main, stack.top(), kFlags, &plan, nullptr, nullptr, Release::word());
}

void reap(pid_t pid) {
  // ECHILD: SIGCHLD is ignored in this process and the kernel has reaped it.
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) continue;
}

SpawnResult failure(SpawnResult result, Step step, int error) {
  result.failed_step = step;
  result.error = error;
  return result;
}

}  // namespace

const char* step_name(Step step) {
  switch (step) {
    case Step::kNone:
      return "";
    case Step::kPipe:
      return "pipe2";
    case Step::kSocketpair:
      return "socketpair";
    case Step::kMmap:
      return "mmap";
    case Step::kClone:
      return "clone";
    case Step::kSetsid:
      return "setsid";
    case Step::kSetpgid:
      return "setpgid";
    case Step::kIoctl:
      return "ioctl";
    case Step::kOpen:
      return "open";
    case Step::kDup:
      return "dup3";
    case Step::kFcntl:
      return "fcntl";
    case Step::kChdir:
      return "chdir";
    case Step::kSetgroups:
      return "setgroups";
    case Step::kSetresgid:
      return "setresgid";
    case Step::kSetresuid:
      return "setresuid";
    case Step::kPrctl:
      return "prctl";
    case Step::kSeccomp:
      return "seccomp";
    case Step::kExecve:
      return "execve";
    case Step::kEpoll:
      return "epoll_ctl";
  }
  return "";
}

pid_t group_of(const SpawnRequest& request, pid_t child) {
  const pid_t group = request.process_group.value_or(0);
  return group == 0 ? child : group;
}

SpawnResult spawn(SpawnRequest& request) {
  SpawnResult result;
  if (!all_open(request.descriptors)) return failure(std::move(result), Step::kFcntl, errno);
  std::vector<FileDescriptor> child_ends;
  if (!open_child_pipes(request.descriptors, result.pipes, child_ends)) {
    return failure(std::move(result), Step::kSocketpair, errno);
  }
  Release release;
  if (!release.open()) return failure(std::move(result), Step::kPipe, errno);

  // One per thread is enough: the child has let go of it when this returns.
  thread_local ChildStack stack;
  if (!stack.map()) return failure(std::move(result), Step::kMmap, ENOMEM);

  const StringList candidates{candidate_paths(request.file, request.environment)};
  std::vector<char*> shell = shell_arguments(request.arguments);
  const EnforceFilter filter{request.enforcement == Enforcement::kOff ? SignalSet{0} : request.ignored};
  ChildPlan plan{
      .candidates = candidates.data(),
      .arguments = request.arguments.data(),
      .environment = request.environment.data(),
      .shell_arguments = shell.data(),
      .directory = request.directory.empty() ? nullptr : request.directory.c_str(),
      .descriptors = request.descriptors.data(),
      .descriptor_count = static_cast<int>(request.descriptors.size()),
      .release_fd = release.fd(),
      .ignored = request.ignored,
      .blocked = request.blocked,
      .filter = filter.program(),
      .filter_required = request.enforcement == Enforcement::kRequired,
      .new_session = request.new_session,
      .set_process_group = request.process_group.has_value(),
      .process_group = request.process_group.value_or(0),
      .foreground = request.foreground,
      .parent_death_signal = request.parent_death_signal,
      .parent = request.parent_death_signal == 0 ? 0 : getpid(),
      .set_uid = request.uid.has_value(),
      .set_gid = request.gid.has_value(),
      .uid = request.uid.value_or(0),
      .gid = request.gid.value_or(0),
      .report = {},
  };

  int pidfd = -1;
  int clone_error = 0;
  {
    // The child starts with this mask and opens it last. The parent needs it no longer than that.
    const SignalsBlocked blocked{kAllSignals};
    result.pid = clone_child(stack, plan, &pidfd);
    clone_error = errno;
  }
  result.pidfd.reset(pidfd);
  if (result.pid < 0) return failure(std::move(result), Step::kClone, clone_error);
  release.wait(result.pid);
  result.failed_step = std::atomic_ref{plan.report.failed_step}.load();
  result.enforced = plan.filter != nullptr && !plan.report.filter_refused;
  if (result.failed_step != Step::kNone) {
    result.error = plan.report.error;
    // It may have taken the terminal before it failed.
    if (request.foreground) take_back_terminal(group_of(request, result.pid));
    reap(result.pid);
    result.pid = -1;
    result.pidfd.reset();
  }
  return result;
}

}  // namespace sigshield
