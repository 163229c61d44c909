// Hears a signal of this process on a thread whose event loop does not turn. Whoever else listens hears it too.
#pragma once

#include <uv.h>

#include <optional>

#include "core/failure.h"

namespace sigshield {

// Opened, asked and destroyed on one thread.
class SignalListener {
 public:
  SignalListener() = default;
  ~SignalListener() { close(); }
  SignalListener(const SignalListener&) = delete;
  SignalListener& operator=(const SignalListener&) = delete;

  // Stays closed where nobody else listens by libuv. The action of the signal stays what it was; a handler of native
  // code is written over for a moment, until that is seen.
  Failure open(int signal);

  // Readable when it has come; -1 while closed.
  [[nodiscard]] int fd() const { return loop_ ? uv_backend_fd(&*loop_) : -1; }

  // How often it has come since this was asked before.
  int count();

 private:
  void close();
  bool start(int signal);

  std::optional<uv_loop_t> loop_;
  uv_signal_t handle_{};
  int count_ = 0;
};

}  // namespace sigshield
