// What keeps libuv from changing the action of a signal.
#pragma once

#include <uv.h>

#include <functional>
#include <vector>

namespace sigshield {

// libuv writes the action for the first handle of a signal, and after the last. This one stands beside the others, so
// that those who come and go meanwhile are neither. Created, closed and destroyed on the loop's thread.
class ActionKeeper {
 public:
  ActionKeeper(uv_loop_t* loop, int signal);
  ActionKeeper(const ActionKeeper&) = delete;
  ActionKeeper& operator=(const ActionKeeper&) = delete;

  // Before one that listens comes or goes.
  void listeners_change();

  // From here on the action is the one that is right without it. `closed` is called when the loop has let go of it, and
  // it may be destroyed.
  void close(std::function<void()> closed);

 private:
  // Of those that this handle is told, by number: another one is told them too.
  struct Told {
    int from;
    int until;
  };

  void pass_on(int number, const std::vector<Told>& told_now);
  [[nodiscard]] bool listens() const;
  void stop();
  // While it listens.
  [[nodiscard]] std::vector<Told> told_to_others();
  void wait_for_handlers();

  uv_signal_t handle_{};
  // Stopped, but for a moment.
  uv_signal_t barrier_{};
  const int signal_;
  // To those who may be gone by now: it was for them to tell it.
  std::vector<Told> told_before_;
  int open_handles_ = 2;
  std::function<void()> closed_;
};

}  // namespace sigshield
