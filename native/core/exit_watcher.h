// Watching children of one event loop: each is reaped exactly once, by its own identity, and delivered once.
#pragma once

#include <sys/types.h>
#include <uv.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "core/file_descriptor.h"

namespace sigshield {

// How a child ended. Neither code nor signal is known when something else in the process reaped it (ECHILD).
struct Exit {
  std::uint32_t id = 0;
  bool known = false;
  int code = 0;
  int signal = 0;  // 0: the child exited by itself, with `code`.
  double user_cpu_us = 0;
  double system_cpu_us = 0;
  std::optional<double> max_rss_bytes;  // Absent when the child can't have held more than its parent.
};

// A program that runs, and is not reaped yet.
struct StartedChild {
  pid_t pid = -1;
  FileDescriptor pidfd;        // Invalid where the kernel gives none.
  pid_t foreground_group = 0;  // The group that holds the terminal while the child lives and is not stopped; 0: none.
};

class ExitWatcher {
 public:
  using Deliver = std::function<void(const Exit&)>;

  // `deliver` is called on the loop's thread, for one child after another. The loop outlives the watcher.
  ExitWatcher(uv_loop_t* loop, Deliver deliver);
  ExitWatcher(const ExitWatcher&) = delete;
  ExitWatcher& operator=(const ExitWatcher&) = delete;
  ~ExitWatcher();

  // 0, or the errno of the system call that keeps it from working; then no other member may be called, and the loop
  // holds nothing of it.
  [[nodiscard]] int error() const;

  // Takes a child, whose exit keeps the loop alive. Returns its id for the calls below. Can't fail: a child that can't
  // be watched by its pidfd is waited for at each SIGCHLD.
  std::uint32_t add(StartedChild child);

  // Returns 0 or an errno; ESRCH when the child is reaped. Never reaches another process that got the same pid.
  [[nodiscard]] int kill(std::uint32_t id, int signal) const;

  // The same for the process group that the child leads, while the child is not reaped: until then the group's number
  // is its own.
  [[nodiscard]] int kill_group(std::uint32_t id, int signal) const;

  // When the child has exited, the rest of the process group that it leads is killed before it is reaped.
  void kill_group_at_exit(std::uint32_t id);

  // Whether this child keeps the loop alive. Nothing happens when it is reaped already.
  void keep_alive(std::uint32_t id, bool on);

  // Stops watching. Children that still live are reaped by a thread of the process when they exit. `closed` is called
  // on the loop's thread when the loop has let go of the watcher, which may then be destroyed.
  void close(std::function<void()> closed);

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace sigshield
