#include "core/signal_listener.h"

#include <csignal>
#include <utility>

#include "platform/own_signals.h"

namespace sigshield {

namespace {

struct sigaction action_of(int signal) {
  struct sigaction action{};
  sigaction(signal, nullptr, &action);
  return action;
}

// By default Node handles some signals for once (src/node.cc): libuv's handler stays.
bool is_handled(const struct sigaction& action) {
  if ((action.sa_flags & static_cast<int>(SA_RESETHAND)) != 0) return false;
  return action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN;
}

}  // namespace

Failure SignalListener::open(int signal) {
  // Who holds or waits for it has an action of ours there, and libuv would lie over that.
  if (!is_handled(action_of(signal)) || platform::is_taken(signal)) return {};
  loop_.emplace();
  if (const int error = uv_loop_init(&*loop_); error != 0) {
    loop_.reset();
    return {Step::kEpollCreate, -error};
  }
  if (const int error = uv_signal_init(&*loop_, &handle_); error != 0) {
    uv_loop_close(&*loop_);
    loop_.reset();
    return {Step::kPipe, -error};
  }
  handle_.data = this;
  if (!start(signal)) {
    close();
    return {};
  }
  // From its first turn on the loop waits for what has come.
  uv_run(&*loop_, UV_RUN_NOWAIT);
  return {};
}

// libuv writes the action for the first who listens. Then it is another's, who would hear no more.
bool SignalListener::start(int signal) {
  const struct sigaction before = action_of(signal);
  uv_signal_start(
      &handle_, [](uv_signal_t* handle, int) { ++static_cast<SignalListener*>(handle->data)->count_; }, signal);
  if (action_of(signal).sa_handler == before.sa_handler) return true;
  uv_signal_stop(&handle_);
  sigaction(signal, &before, nullptr);
  return false;
}

int SignalListener::count() {
  if (loop_) uv_run(&*loop_, UV_RUN_NOWAIT);
  return std::exchange(count_, 0);
}

void SignalListener::close() {
  if (!loop_) return;
  uv_close(reinterpret_cast<uv_handle_t*>(&handle_), nullptr);
  uv_run(&*loop_, UV_RUN_DEFAULT);
  uv_loop_close(&*loop_);
  loop_.reset();
}

}  // namespace sigshield
