#include "core/action_keeper.h"

#include <algorithm>
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
  platform::keep_taking(signal, [&] { uv_signal_start(&handle_, on_signal, signal); });
}

void ActionKeeper::listeners_change() {
  if (handle_.caught_signals == handle_.dispatched_signals) return told_before_.clear();
  for (const Told& told : told_to_others()) told_before_.push_back(told);
}

// The handler of libuv tells all who listen at that time. It may have begun in another thread, and come to it when
// those who listened have gone: then this handle alone is told.
void ActionKeeper::pass_on(unsigned number) {
  const std::vector<Told> told_now = told_to_others();
  const auto has_it = [at = static_cast<int>(number)](const Told& told) { return told.from <= at && at < told.until; };
  if (std::ranges::any_of(told_now, has_it) || std::ranges::any_of(told_before_, has_it)) return;
  // Who took it has just gone, and this handle alone was left to hear it.
  if (told_now.empty() && !platform::is_taken(signal_)) stop();
  platform::come_again(signal_);
}

void ActionKeeper::stop() {
  platform::keep_taking(signal_, [this] { uv_signal_stop(&handle_); });
}

std::vector<ActionKeeper::Told> ActionKeeper::told_to_others() {
  struct Search {
    const ActionKeeper* self;
    std::vector<Told> found;
  } search{.self = this, .found = {}};
  const auto look = [](uv_handle_t* handle, void* data) {
    auto& it = *static_cast<Search*>(data);
    if (handle->type != UV_SIGNAL || uv_is_active(handle) == 0) return;
    const auto* const other = reinterpret_cast<uv_signal_t*>(handle);
    const uv_signal_t& own = it.self->handle_;
    if (other == &own || other->signum != it.self->signal_) return;
    // As long as both listen they are told the same.
    const auto until = static_cast<int>(own.caught_signals);
    it.found.push_back({.from = until - static_cast<int>(other->caught_signals), .until = until});
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
