#include "core/action_keeper.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "platform/own_signals.h"

namespace sigshield {

namespace {

constexpr int kEver = std::numeric_limits<int>::max();

uv_handle_t* as_handle(uv_signal_t& handle) { return reinterpret_cast<uv_handle_t*>(&handle); }

int caught_by(const uv_signal_t& handle) { return static_cast<int>(handle.caught_signals); }

int dispatched_to(const uv_signal_t& handle) { return static_cast<int>(handle.dispatched_signals); }

}  // namespace

ActionKeeper::ActionKeeper(uv_loop_t* loop, int signal) : signal_(signal) {
  for (uv_signal_t* const handle : {&handle_, &barrier_}) {
    uv_signal_init(loop, handle);
    handle->data = this;
    uv_unref(as_handle(*handle));
  }
  // As the first one, its callback is where a signal goes that comes before our own action is back.
  const auto on_signal = [](uv_signal_t* handle, int) {
    auto* const self = static_cast<ActionKeeper*>(handle->data);
    self->pass_on(dispatched_to(*handle), self->told_to_others());
  };
  platform::keep_taking(signal, [&] { uv_signal_start(&handle_, on_signal, signal); });
}

void ActionKeeper::listeners_change() {
  if (!listens()) return;
  const std::vector<Told> told_now = told_to_others();
  if (caught_by(handle_) == dispatched_to(handle_)) return told_before_.clear();
  for (const Told& told : told_now) told_before_.push_back({.from = told.from, .until = caught_by(handle_)});
}

// The handler of libuv tells all who listen at that time. It may have begun in another thread, and come to it when
// those who listened have gone: then this handle alone is told.
void ActionKeeper::pass_on(int number, const std::vector<Told>& told_now) {
  const auto has_it = [number](const Told& told) { return told.from <= number && number < told.until; };
  if (std::ranges::any_of(told_now, has_it) || std::ranges::any_of(told_before_, has_it)) return;
  // Who took it has just gone, and this handle alone was left to hear it.
  if (told_now.empty() && !platform::is_taken(signal_)) stop();
  platform::come_again(signal_);
}

bool ActionKeeper::listens() const { return uv_is_active(reinterpret_cast<const uv_handle_t*>(&handle_)) != 0; }

void ActionKeeper::stop() {
  platform::keep_taking(signal_, [this] { uv_signal_stop(&handle_); });
}

// Two handles are told the same as long as both listen, so how much more the one has caught says since when.
std::vector<ActionKeeper::Told> ActionKeeper::told_to_others() {
  struct Search {
    const ActionKeeper* self;
    std::vector<Told> found;
  };
  const auto look = [](uv_handle_t* handle, void* data) {
    auto& it = *static_cast<Search*>(data);
    if (handle->type != UV_SIGNAL || uv_is_active(handle) == 0) return;
    const auto* const other = reinterpret_cast<uv_signal_t*>(handle);
    const uv_signal_t& own = it.self->handle_;
    if (other == &own || other->signum != it.self->signal_) return;
    it.found.push_back({.from = caught_by(own) - caught_by(*other), .until = kEver});
  };
  for (;;) {
    wait_for_handlers();
    Search search{.self = this, .found = {}};
    const int caught = caught_by(handle_);
    uv_walk(handle_.loop, look, &search);
    wait_for_handlers();
    if (caught_by(handle_) == caught) return std::move(search.found);
  }
}

// The handler of libuv, in whatever thread, counts what a handle has caught after the loop may know of it. It holds a
// lock meanwhile, which is taken here. Beside a handle that listens, this one writes no action.
void ActionKeeper::wait_for_handlers() {
  uv_signal_start(&barrier_, [](uv_signal_t*, int) {}, signal_);
  uv_signal_stop(&barrier_);
}

void ActionKeeper::close(std::function<void()> closed) {
  closed_ = std::move(closed);
  const std::vector<Told> told_now = listens() ? told_to_others() : std::vector<Told>{};
  stop();
  // What it has caught, and the loop has not told it: it tells no handle that has stopped.
  for (int number = dispatched_to(handle_); number < caught_by(handle_); ++number) pass_on(number, told_now);
  for (uv_signal_t* const handle : {&handle_, &barrier_}) {
    uv_close(as_handle(*handle), [](uv_handle_t* one) {
      auto* const self = static_cast<ActionKeeper*>(one->data);
      if (--self->open_handles_ > 0) return;
      // Moved out first: it destroys the object.
      const std::function<void()> done = std::move(self->closed_);
      done();
    });
  }
}

}  // namespace sigshield
