#include "core/exit_event_watch.h"

#include <atomic>
#include <utility>

#include "core/exit_pipe.h"
#include "core/signal_set.h"

namespace sigshield {

ExitEventWatch::ExitEventWatch(uv_loop_t* loop, int fd, std::int32_t* flag, std::function<void()> raised)
    : fd_(fd), flag_(flag), raised_(std::move(raised)), failure_(start(loop)) {}

// The loop last: only its callbacks could take back what it was given.
Failure ExitEventWatch::start(uv_loop_t* loop) {
  if (const Failure failure = stop_.open()) return failure;
  if (const int error = start_thread(); error != 0) return {Step::kThread, -error};
  const int error =
      uv_async_init(loop, &async_, [](uv_async_t* handle) { static_cast<ExitEventWatch*>(handle->data)->raised_(); });
  if (error != 0) {
    stop_.send();
    loop_is_ready_.release();
    uv_thread_join(&thread_);
    // The first of a loop opens the loop's own.
    return {Step::kEventfd, -error};
  }
  async_.data = this;
  uv_unref(reinterpret_cast<uv_handle_t*>(&async_));
  loop_is_ready_.release();
  return {};
}

// Returns 0 or a negative errno.
int ExitEventWatch::start_thread() {
  const platform::SignalsBlocked blocked{kProgramSignals};
  const auto run = [](void* self) { static_cast<ExitEventWatch*>(self)->run(); };
  uv_thread_options_t options{};
  options.flags = UV_THREAD_HAS_STACK_SIZE;
  options.stack_size = std::size_t{64} * 1024;
  const int error = uv_thread_create_ex(&thread_, &options, run, this);
  // The thread-local variables of all libraries stand on the stack too, and may be larger (pthread_create(3)).
  return error == UV_EINVAL ? uv_thread_create(&thread_, run, this) : error;
}

void ExitEventWatch::run() {
  loop_is_ready_.acquire();
  pollfd polls[2] = {{fd_, POLLIN, 0}, {stop_.fd(), POLLIN, 0}};
  while (platform::wait_for_any(polls, -1) < 0) pause_unless_interrupted();
  if (polls[1].revents != 0) return;
  std::atomic_ref{*flag_}.store(static_cast<std::int32_t>(exit_reason(fd_, polls[0].revents)));
  uv_async_send(&async_);
}

void ExitEventWatch::close(std::function<void()> closed) {
  stop_.send();
  uv_thread_join(&thread_);
  closed_ = std::move(closed);
  uv_close(reinterpret_cast<uv_handle_t*>(&async_), [](uv_handle_t* handle) {
    // Moved out first: it destroys this object.
    const std::function<void()> done = std::move(static_cast<ExitEventWatch*>(handle->data)->closed_);
    done();
  });
}

}  // namespace sigshield
