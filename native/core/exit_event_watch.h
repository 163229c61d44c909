// Watching the pipe of an exit event for one event loop.
#pragma once

#include <uv.h>

#include <cstdint>
#include <functional>
#include <semaphore>

#include "core/failure.h"
#include "platform/platform.h"

namespace sigshield {

// A thread waits on the pipe and raises a flag in memory, so that the flag is right in a program that never returns to
// its event loop; the loop is told afterwards.
class ExitEventWatch {
 public:
  // `flag` receives the ExitReason; it stays valid until close() returns. `raised` is called once, on the loop's
  // thread.
  ExitEventWatch(uv_loop_t* loop, int fd, std::int32_t* flag, std::function<void()> raised);
  ExitEventWatch(const ExitEventWatch&) = delete;
  ExitEventWatch& operator=(const ExitEventWatch&) = delete;

  // What it could not be started for: then it is only to be destroyed, and the loop holds nothing of it.
  [[nodiscard]] Failure failure() const { return failure_; }

  // Ends the thread. Called for a watch that was started, before it is destroyed. `closed` is called on the loop's
  // thread when the loop has let go of the watch, which may then be destroyed.
  void close(std::function<void()> closed);

 private:
  Failure start(uv_loop_t* loop);
  int start_thread();
  void run();

  const int fd_;
  std::int32_t* const flag_;
  const std::function<void()> raised_;
  platform::WakeUp stop_;
  // Until the loop is ready to be told, or won't be.
  std::binary_semaphore loop_is_ready_{0};
  uv_async_t async_{};
  uv_thread_t thread_{};
  Failure failure_;
  std::function<void()> closed_;
};

}  // namespace sigshield
