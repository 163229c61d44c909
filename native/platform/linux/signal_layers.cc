#include "platform/linux/signal_layers.h"

#include <sched.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <ctime>
#include <iterator>
#include <mutex>
#include <type_traits>
#include <utility>

#include "platform/linux/raw_syscall.h"
#include "platform/own_signals.h"

#if defined(__x86_64__)
// Where the kernel returns to from a handler: rt_sigreturn(2), in the bytes that debuggers know.
extern "C" void sigshield_signal_return();
__asm__(
    ".text\n.hidden sigshield_signal_return\n.type sigshield_signal_return,@function\n"
    "sigshield_signal_return:\nmovq $15, %rax\nsyscall\n");
#endif

namespace sigshield::platform {

namespace {

// The kernel's struct sigaction (rt_sigaction(2)): libc's hides what it adds to it.
struct Action {
  unsigned long handler = 0;
  unsigned long flags = 0;
  unsigned long restorer = 0;
  SignalSet mask = 0;
};

struct Overlaid {
  Action before;
  std::vector<const SignalLayer*> layers;
};

using PerSignal = std::array<Overlaid, kLastSignal + 1>;

std::mutex& lock() {
  static std::mutex mutex;
  return mutex;
}

Overlaid& overlaid(int signal) {
  // Never destroyed: threads of the process may outlive its static objects.
  // NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables): it is there to be changed.
  static auto& all = *new PerSignal;
  return all.at(static_cast<std::size_t>(signal));
}

// What the handler reads.
struct Route {
  std::atomic<pid_t> taker{0};
  std::atomic<int> in_flight{0};
};
static_assert(std::atomic<int>::is_always_lock_free && std::is_same_v<pid_t, int>);

Route& route(int signal) {
  static constinit std::array<Route, kLastSignal + 1> routes;
  return routes[static_cast<std::size_t>(signal)];
}

// A filter may answer for the kernel: then nothing is written, and nothing done.
Action exchange(int signal, const Action* action) {
  Action old;
  raw_syscall(SYS_rt_sigaction, signal, nullptr, &old, sizeof(SignalSet));
  if (action != nullptr) raw_syscall(SYS_rt_sigaction, signal, action, &old, sizeof(SignalSet));
  return old;
}

void on_signal(int, siginfo_t* info, void*) { forward(*info); }

Action action_of(const SignalLayer& layer) {
  Action action;
  if (layer.taker() == 0) {
    action.handler = reinterpret_cast<unsigned long>(SIG_IGN);
    return action;
  }
  action.handler = reinterpret_cast<unsigned long>(&on_signal);
  action.flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
  // A handler that is interrupted is still on its way.
  action.mask = kProgramSignals;
#if defined(__x86_64__)
  action.flags |= 0x0400'0000UL;  // SA_RESTORER, which libc's headers lack.
  action.restorer = reinterpret_cast<unsigned long>(&sigshield_signal_return);
#endif
  return action;
}

void wait_until_none_is_on_its_way(int signal) {
  while (route(signal).in_flight.load() != 0) sched_yield();
}

void install(int signal, const SignalLayer& layer) {
  Overlaid& state = overlaid(signal);
  route(signal).taker.store(layer.taker());
  const Action wanted = action_of(layer);
  const Action found = exchange(signal, &wanted);
  const bool is_ours = !state.layers.empty() && found.handler == action_of(*state.layers.back()).handler;
  if (!is_ours) state.before = found;
}

void put(int signal, const SignalLayer& layer) {
  Overlaid& state = overlaid(signal);
  install(signal, layer);
  state.layers.push_back(&layer);
  if (layer.taker() == 0) return;
  wait_until_none_is_on_its_way(signal);
  for (auto below = std::next(state.layers.rbegin()); below != state.layers.rend(); ++below) (*below)->tell_overlaid();
}

void remove(int signal, const SignalLayer& layer) {
  Overlaid& state = overlaid(signal);
  const bool was_last = state.layers.back() == &layer;
  std::erase(state.layers, &layer);
  if (!was_last) return;
  const SignalLayer* const next = state.layers.empty() ? nullptr : state.layers.back();
  const Action action = next == nullptr ? state.before : action_of(*next);
  // What somebody else has put there since is theirs to take away.
  if (exchange(signal, nullptr).handler == action_of(layer).handler) exchange(signal, &action);
  route(signal).taker.store(next == nullptr ? 0 : next->taker());
}

template <typename Each>
void for_each_of(SignalSet signals, Each each) {
  for (int signal = 1; signal <= kLastSignal; ++signal) {
    if ((signals & signal_bit(signal)) != 0) each(signal);
  }
}

}  // namespace

SignalLayer::SignalLayer(SignalSet signals, pid_t taker, std::function<void()> overlaid_by_another)
    : signals_(signals), taker_(taker), overlaid_(std::move(overlaid_by_another)) {
  const std::lock_guard guard{lock()};
  for_each_of(signals_, [this](int signal) { put(signal, *this); });
}

SignalLayer::~SignalLayer() {
  const std::lock_guard guard{lock()};
  for_each_of(signals_, [this](int signal) { remove(signal, *this); });
  for_each_of(signals_, wait_until_none_is_on_its_way);
}

int wait_for_signal(SignalSet signals, siginfo_t& info, const timespec* time) {
  return static_cast<int>(raw_syscall(SYS_rt_sigtimedwait, &signals, &info, time, sizeof(SignalSet)));
}

// Runs in handlers too: raw system calls and lock-free atomics alone.
void forward(const siginfo_t& info) {
  siginfo_t sent = info;
  // Who sends to another thread may not speak for the kernel, nor for kill(2) (rt_sigqueueinfo(2)).
  if (info.si_code > 0) {
    sent = {};
    sent.si_signo = info.si_signo;
  }
  if (info.si_code >= 0 || info.si_code == SI_TKILL) sent.si_code = SI_QUEUE;
  const int signal = info.si_signo;
  const long self = raw_syscall(SYS_getpid);
  Route& way = route(signal);
  way.in_flight.fetch_add(1);
  if (const pid_t taker = way.taker.load(); taker != 0) {
    raw_syscall(SYS_rt_tgsigqueueinfo, self, taker, signal, &sent);
  } else {
    raw_syscall(SYS_rt_sigqueueinfo, self, signal, &sent);
  }
  way.in_flight.fetch_sub(1);
}

std::vector<siginfo_t> take_pending(SignalSet signals) {
  const timespec none{};
  std::vector<siginfo_t> taken;
  siginfo_t info{};
  while (wait_for_signal(signals, info, &none) > 0) taken.push_back(info);
  return taken;
}

SignalSet taken_by_others(SignalSet signals, pid_t thread) {
  SignalSet others = 0;
  for_each_of(signals, [&](int signal) {
    const pid_t taker = route(signal).taker.load();
    if (taker != 0 && taker != thread) others |= signal_bit(signal);
  });
  return others;
}

Disposition disposition(int signal) {
  const unsigned long handler = exchange(signal, nullptr).handler;
  if (handler == reinterpret_cast<unsigned long>(SIG_DFL)) return Disposition::kDefault;
  return handler == reinterpret_cast<unsigned long>(SIG_IGN) ? Disposition::kIgnored : Disposition::kHandled;
}

void keep_taking(int signal) {
  const std::lock_guard guard{lock()};
  if (const auto& layers = overlaid(signal).layers; !layers.empty()) install(signal, *layers.back());
}

}  // namespace sigshield::platform
