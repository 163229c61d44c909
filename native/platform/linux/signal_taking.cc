#include "platform/linux/signal_taking.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <ctime>

#include "platform/linux/raw_syscall.h"
#include "platform/linux/signal_layers.h"

namespace sigshield::platform {

namespace {

using Clock = std::chrono::steady_clock;

// No time at all: for ever. Returns the signal, or a negative errno.
int wait_for_signal(SignalSet signals, siginfo_t& info, const timespec* time) {
  return static_cast<int>(raw_syscall(SYS_rt_sigtimedwait, &signals, &info, time, sizeof(SignalSet)));
}

timespec time_until(Clock::time_point deadline) {
  using std::chrono::duration_cast, std::chrono::nanoseconds, std::chrono::seconds;
  const auto left = std::max(nanoseconds{0}, duration_cast<nanoseconds>(deadline - Clock::now()));
  const auto whole = duration_cast<seconds>(left);
  return {.tv_sec = whole.count(), .tv_nsec = static_cast<long>((left - whole).count())};
}

// A thread in sigtimedwait(2) may find a kWakeSignal that another process has sent to this one. The main thread gets
// it.
void hand_on_if_stray(const siginfo_t& info) {
  if (info.si_code != SI_USER || info.si_pid == 0) return;
  const auto main_thread = static_cast<pid_t>(raw_syscall(SYS_getpid));
  wake(main_thread);
  if (this_thread() != main_thread) return;
  // It comes as soon as it is not blocked.
  const SignalSet mask = change_mask(MaskChange::kUnblock, signal_bit(kWakeSignal));
  set_mask(mask);
}

}  // namespace

pid_t this_thread() { return static_cast<pid_t>(raw_syscall(SYS_gettid)); }

std::vector<siginfo_t> take_pending(SignalSet signals) {
  const timespec none{};
  std::vector<siginfo_t> taken;
  siginfo_t info{};
  while (wait_for_signal(signals, info, &none) > 0) taken.push_back(info);
  return taken;
}

void put_back(const siginfo_t& info) {
  const long self = raw_syscall(SYS_getpid);
  if (raw_syscall(SYS_rt_tgsigqueueinfo, self, this_thread(), info.si_signo, &info) == 0) return;
  // Refused, or there is no room to queue it: kill(2) alone is never refused for that.
  if (raise_signal(info.si_signo) != 0) raw_syscall(SYS_kill, self, info.si_signo);
}

void forward_all(const std::vector<siginfo_t>& taken) {
  for (const siginfo_t& info : taken) forward(info);
}

int take_signal_until(SignalSet signals, siginfo_t& info, double timeout_ms, const std::atomic<bool>* is_cancelled) {
  const bool forever = std::isinf(timeout_ms);
  const auto start = Clock::now();
  const std::chrono::microseconds limit{forever ? 0 : std::llround(timeout_ms * 1000)};
  const pid_t taker = this_thread();
  for (;;) {
    info = {};
    if (const int unqueued = take_unqueued(signals, taker); unqueued != 0) {
      info.si_signo = unqueued;
      return unqueued;
    }
    const bool is_over = is_cancelled != nullptr && is_cancelled->load();
    const timespec time = is_over ? timespec{} : time_until(start + limit);
    const int signal = wait_for_signal(signals | signal_bit(kWakeSignal), info, forever && !is_over ? nullptr : &time);
    if (signal == kWakeSignal) {
      hand_on_if_stray(info);
    } else if (signal != -EINTR) {
      return signal == -EAGAIN ? 0 : signal;
    }
  }
}

void discard_wake_ups() {
  for (const siginfo_t& info : take_pending(signal_bit(kWakeSignal))) hand_on_if_stray(info);
}

Arrival arrival_of(int signal, const siginfo_t& info) {
  // Elsewhere the fields mean something else (sigaction(2)).
  const bool has_sender =
      signal > 0 && (info.si_code == SI_USER || info.si_code == SI_QUEUE || info.si_code == SI_TKILL);
  if (!has_sender) return {.signal = signal, .is_of_kernel = signal > 0 && is_of_kernel(info)};
  return {.signal = signal, .sender = info.si_pid, .uid = info.si_uid, .is_of_kernel = is_of_kernel(info)};
}

}  // namespace sigshield::platform
