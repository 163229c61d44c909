#include "core/guard.h"

#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "guard/guard.h"
#include "platform/platform.h"

namespace sigshield {

namespace {

// A program that has no guard has no such function.
template <typename Function>
Function* of_guard(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_DEFAULT, name));
}

}  // namespace

Failure Acknowledgement::open() { return platform::open_pipe(read_end, write_end); }

GuardAnswer wait_for_guard(int read_fd, int timeout_ms) {
  using std::chrono::steady_clock;
  const auto deadline = steady_clock::now() + std::chrono::milliseconds{timeout_ms};
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now()).count();
    pollfd poll_fd{.fd = read_fd, .events = POLLIN, .revents = 0};
    const int ready = platform::wait_for_any({&poll_fd, 1}, static_cast<int>(std::max<decltype(left)>(left, 0)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return GuardAnswer::kNone;
    char answer = '0';
    const ssize_t length = read(read_fd, &answer, 1);
    if (length < 0 && errno == EINTR) continue;
    return length == 1 && answer == '1' ? GuardAnswer::kInForce : GuardAnswer::kNotInForce;
  }
}

SignalSet guarded_signals() {
  auto* const signals = of_guard<decltype(sigshield_guard_signals)>("sigshield_guard_signals");
  return signals == nullptr ? 0 : signals();
}

void lift_guard(SignalSet signals) {
  auto* const lift = of_guard<decltype(sigshield_guard_lift)>("sigshield_guard_lift");
  if (lift != nullptr) lift(signals);
}

}  // namespace sigshield
