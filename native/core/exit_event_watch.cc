#include "core/exit_event_watch.h"

#include <poll.h>

#include <atomic>
#include <utility>

#include "core/exit_pipe.h"
#include "core/signal_set.h"

namespace sigshield {

ExitEventWatch::ExitEventWatch(uv_loop_t* loop, int fd, std::int32_t* flag, std::function<void()> raised)
    : fd_(fd), flag_(flag), raised_(std::move(raised)) {
  uv_async_init(loop, &async_, [](uv_async_t* handle) { static_cast<ExitEventWatch*>(handle->data)->raised_(); });
  async_.data = this;
  uv_unref(reinterpret_cast<uv_handle_t*>(&async_));
  failure_ = start();
}

Failure ExitEventWatch::start() {
  if (const Failure failure = stop_.open()) return failure;
  const platform::SignalsBlocked blocked{kProgramSignals};
  uv_thread_options_t options{};
  options.flags = UV_THREAD_HAS_STACK_SIZE;
  options.stack_size = std::size_t{64} * 1024;
  const int error =
      uv_thread_create_ex(&thread_, &options, [](void* self) { static_cast<ExitEventWatch*>(self)->run(); }, this);
  return error == 0 ? Failure{} : Failure{Step::kThread, -error};
}

void ExitEventWatch::run() {
  pollfd polls[2] = {{fd_, POLLIN, 0}, {stop_.fd(), POLLIN, 0}};
  while (poll(polls, 2, -1) < 0) continue;
  if (polls[1].revents != 0) return;
  std::atomic_ref{*flag_}.store(static_cast<std::int32_t>(exit_reason(fd_)));
  uv_async_send(&async_);
}

void ExitEventWatch::close(std::function<void()> closed) {
  if (!failure_) {
    stop_.send();
    uv_thread_join(&thread_);
  }
  closed_ = std::move(closed);
  uv_close(reinterpret_cast<uv_handle_t*>(&async_), [](uv_handle_t* handle) {
    // Moved out first: it destroys this object.
    const std::function<void()> done = std::move(static_cast<ExitEventWatch*>(handle->data)->closed_);
    done();
  });
}

}  // namespace sigshield
