#include "core/action_keeper.h"

#include <utility>

#include "platform/own_signals.h"

namespace sigshield {

namespace {

uv_handle_t* as_handle(uv_signal_t& handle) { return reinterpret_cast<uv_handle_t*>(&handle); }

}  // namespace

ActionKeeper::ActionKeeper(uv_loop_t* loop, int signal) : signal_(signal) {
  uv_signal_init(loop, &handle_);
  handle_.data = this;
  uv_unref(as_handle(handle_));
  // As the first one, its callback is where a signal goes that comes before our own action is back.
  const auto on_signal = [](uv_signal_t* handle, int) {
    static_cast<ActionKeeper*>(handle->data)->pass_on(handle->dispatched_signals);
  };
  const bool is_alone = !others_listen();
  platform::keep_taking(signal, [&] { uv_signal_start(&handle_, on_signal, signal); });
  if (is_alone) told_alone_ = handle_.caught_signals;
}

void ActionKeeper::pass_on(unsigned number) {
  const bool is_alone = !others_listen();
  // Others are told too, by the same handler of libuv's.
  if (number >= told_alone_ && !is_alone) return;
  // Who took it has just gone, and this handle alone was left to hear it.
  if (is_alone && !platform::is_taken(signal_)) stop();
  platform::come_again(signal_);
}

void ActionKeeper::stop() {
  platform::keep_taking(signal_, [this] { uv_signal_stop(&handle_); });
}

bool ActionKeeper::others_listen() {
  struct Search {
    const ActionKeeper* self;
    bool found = false;
  } search{.self = this};
  const auto look = [](uv_handle_t* handle, void* data) {
    auto& it = *static_cast<Search*>(data);
    if (handle->type != UV_SIGNAL || uv_is_active(handle) == 0) return;
    const auto* const other = reinterpret_cast<uv_signal_t*>(handle);
    if (other != &it.self->handle_ && other->signum == it.self->signal_) it.found = true;
  };
  uv_walk(handle_.loop, look, &search);
  return search.found;
}

void ActionKeeper::close(std::function<void()> closed) {
  closed_ = std::move(closed);
  stop();
  // What it has caught, and the loop has not told it: it tells no handle that has stopped.
  for (unsigned number = handle_.dispatched_signals; number < handle_.caught_signals; ++number) pass_on(number);
  uv_close(as_handle(handle_), [](uv_handle_t* handle) {
    // Moved out first: it destroys this object.
    const std::function<void()> done = std::move(static_cast<ActionKeeper*>(handle->data)->closed_);
    done();
  });
}

}  // namespace sigshield
