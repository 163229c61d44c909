// Seeing a child through on the thread that calls: its pipes, its limits and its end. The thread is blocked meanwhile,
// so nothing that the child or a descendant does may last for ever that a limit should end.
#pragma once

#include <poll.h>

#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "core/signal_listener.h"
#include "core/start.h"
#include "core/sync_pipes.h"
#include "platform/platform.h"

namespace sigshield {

// In milliseconds and bytes.
struct SyncLimits {
  double timeout = 0;     // From the construction of the SyncChild on; 0: none.
  double max_buffer = 0;  // Of all output together; 0: any.
  int kill_signal = 0;
  double grace = 0;  // From the kill signal until SIGKILL; infinite: never.
  double drain = 0;  // From the exit until pipes are left that descendants hold; infinite: never.
};

struct SyncEnd {
  platform::ExitStatus status;
  int error = 0;  // The errno of the limit that was reached, or else of a pipe that failed.
};

class SyncChild {
 public:
  // The time begins.
  explicit SyncChild(const SyncLimits& limits);

  // Before the child runs, for one that does not hear SIGINT: `is_enough` is asked at each that comes to this process
  // and is listened to, and answers whether the child is killed. It is given the child's pid, or -1 when that has
  // exited and others hold its pipes.
  Failure listen(std::function<bool(pid_t)> is_enough);

  // Once, for a child that runs. Its first pipe is its input, if there is one; all others are read. The input outlives
  // the call.
  SyncEnd run(StartResult started, std::optional<std::span<const char>> input);

  // After run(). In the order of the pipes.
  std::span<OutputPipe> outputs() { return outputs_; }

 private:
  static constexpr double kNever = std::numeric_limits<double>::infinity();

  [[nodiscard]] bool is_over() const;
  [[nodiscard]] int milliseconds_to_wait() const;
  void wait();
  void move_data();
  void look_for_interrupts();
  void look_for_exit();
  void look_at_clock();
  void kill();
  void close_pipes();
  void limit_reached(int error);
  void kill_at_once();

  SyncLimits limits_;
  platform::ProcessReference process_;
  int exit_descriptor_ = -1;
  SignalListener interrupts_;
  std::function<bool(pid_t)> is_enough_;
  InputPipe input_;
  std::vector<OutputPipe> outputs_;
  // The exit, the input, the interrupts, then the outputs.
  std::vector<pollfd> polled_;
  SyncEnd end_;
  int pipe_error_ = 0;
  bool has_exited_ = false;
  bool is_killed_ = false;
  double timeout_at_ = kNever;
  double drained_at_ = kNever;
  double grace_left_ = kNever;
  double last_look_ = 0;
};

}  // namespace sigshield
