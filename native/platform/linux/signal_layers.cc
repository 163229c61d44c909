// It is long, as all that touches the way of a signal stands together: it is right by its order.
#include "platform/linux/signal_layers.h"

#include <sched.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <iterator>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

#include "platform/linux/raw_syscall.h"
#include "platform/linux/signal_action.h"
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

struct Overlaid {
  // What is put back after the last layer. It may be another copy's, which lies over ours.
  Action before;
  // What lies below all of ours. Who has lain over our action may bring it back when there is no layer any more: then
  // it gives way to this.
  std::optional<Action> below;
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
  // A thread, kIgnored, or 0: there is no layer.
  std::atomic<pid_t> taker{0};
  std::atomic<int> in_flight{0};
  std::atomic<bool> gives_way{false};
  // Those on the way to a taker that the kernel had no room to queue.
  std::atomic<int> unqueued{0};
};
static_assert(std::atomic<int>::is_always_lock_free && std::is_same_v<pid_t, int>);

constexpr pid_t kIgnored = -1;

Route& route(int signal) {
  static constinit std::array<Route, kLastSignal + 1> routes;
  return routes[static_cast<std::size_t>(signal)];
}

// Its address is what a signal of the kernel carries when it was forwarded.
// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables): a siginfo_t holds no pointer to const.
char of_kernel = 0;

void on_signal(int signal, siginfo_t* info, void*);

bool is_on_signal(const Action& action) { return action.handler == reinterpret_cast<unsigned long>(&on_signal); }

// Copies of this library know each other's actions so: who else lets a signal into its own handler does not block it
// there.
bool is_of_a_copy(int signal, const Action& action) {
  constexpr unsigned long kMark = SA_SIGINFO | SA_NODEFER;
  return (action.flags & kMark) == kMark && (action.mask & signal_bit(signal)) != 0;
}

Action action_of(const SignalLayer& layer) {
  Action action;
  if (layer.taker() == 0) {
    action.handler = reinterpret_cast<unsigned long>(SIG_IGN);
    return action;
  }
  action.handler = reinterpret_cast<unsigned long>(&on_signal);
  action.flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK | SA_NODEFER;
  // A handler that is interrupted is still on its way.
  action.mask = kProgramSignals;
#if defined(__x86_64__)
  action.flags |= 0x0400'0000UL;  // SA_RESTORER, which libc's headers lack.
  action.restorer = reinterpret_cast<unsigned long>(&sigshield_signal_return);
#endif
  return action;
}

// For an action of ours that was brought back. One thread does it: what has come since is not written over.
void give_way(int signal) {
  Route& way = route(signal);
  if (way.gives_way.exchange(true)) return;
  if (is_on_signal(exchange_action(signal, nullptr))) exchange_action(signal, &*overlaid(signal).below);
  way.gives_way.store(false);
}

void on_signal(int signal, siginfo_t* info, void*) {
  Route& way = route(signal);
  // No layer comes meanwhile.
  way.in_flight.fetch_add(1);
  if (way.taker.load() == 0) give_way(signal);
  forward(*info);
  way.in_flight.fetch_sub(1);
}

// kill(2) alone is never refused for want of room: the signal becomes pending, without its sender, and joins one that
// is pending already.
void send_to_process(const siginfo_t& info) {
  const long self = raw_syscall(SYS_getpid);
  if (raw_syscall(SYS_rt_sigqueueinfo, self, info.si_signo, &info) != 0) raw_syscall(SYS_kill, self, info.si_signo);
}

void wait_until_none_is_on_its_way(int signal) {
  while (route(signal).in_flight.load() != 0) sched_yield();
}

void point_to(int signal, const SignalLayer& layer) {
  route(signal).taker.store(layer.taker() == 0 ? kIgnored : layer.taker());
}

// `is_base`: what is there can't be what somebody lies over our layers with.
void install(int signal, const SignalLayer& layer, bool is_base) {
  Overlaid& state = overlaid(signal);
  // Our handler never stands there without a layer.
  point_to(signal, layer);
  // From here on nobody gives way, and nothing comes to who took it before.
  wait_until_none_is_on_its_way(signal);
  const Action wanted = action_of(layer);
  const Action found = exchange_action(signal, &wanted);
  if (is_on_signal(found)) {
    if (state.layers.empty()) state.before = *state.below;
  } else if (state.layers.empty() || found.handler != action_of(*state.layers.back()).handler) {
    state.before = found;
    // Not one that may lie over ours itself, where there is another.
    if (is_base && !(state.below && is_of_a_copy(signal, found))) state.below = found;
  }
  // As the kernel drops what is pending.
  if (layer.taker() == 0) route(signal).unqueued.store(0);
}

void put(int signal, const SignalLayer& layer) {
  Overlaid& state = overlaid(signal);
  install(signal, layer, state.layers.empty());
  state.layers.push_back(&layer);
  if (layer.taker() == 0) return;
  for (auto below = std::next(state.layers.rbegin()); below != state.layers.rend(); ++below) (*below)->tell_overlaid();
}

void remove(int signal, const SignalLayer& layer) {
  Overlaid& state = overlaid(signal);
  const bool was_last = state.layers.back() == &layer;
  std::erase(state.layers, &layer);
  if (!was_last) return;
  const SignalLayer* const next = state.layers.empty() ? nullptr : state.layers.back();
  const Action action = next == nullptr ? state.before : action_of(*next);
  if (next != nullptr) point_to(signal, *next);
  // What somebody else has put there since is theirs to take away.
  const Action found = exchange_action(signal, nullptr);
  if (is_on_signal(found) || found.handler == action_of(layer).handler) exchange_action(signal, &action);
  if (next == nullptr) route(signal).taker.store(0);
}

// What was not queued is its next taker's.
void hand_on_unqueued(int signal) {
  const auto& layers = overlaid(signal).layers;
  std::atomic<int>& unqueued = route(signal).unqueued;
  if (!layers.empty()) {
    const pid_t taker = layers.back()->taker();
    if (taker == 0) unqueued.store(0);
    if (unqueued.load() > 0) wake(taker);
    return;
  }
  siginfo_t info{};
  info.si_signo = signal;
  info.si_code = SI_QUEUE;
  for (int left = unqueued.exchange(0); left > 0; --left) send_to_process(info);
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
  for_each_of(signals_, hand_on_unqueued);
}

void wake(pid_t thread) { raw_syscall(SYS_tgkill, raw_syscall(SYS_getpid), thread, kWakeSignal); }

// Runs in handlers too: raw system calls and lock-free atomics alone.
void forward(const siginfo_t& info) {
  siginfo_t sent = info;
  // Who sends to another thread may not speak for the kernel, nor for kill(2) (rt_sigqueueinfo(2)).
  if (info.si_code > 0) {
    sent = {};
    sent.si_signo = info.si_signo;
    if (info.si_code == SI_KERNEL) sent.si_ptr = &of_kernel;
  }
  if (info.si_code >= 0 || info.si_code == SI_TKILL) sent.si_code = SI_QUEUE;
  const int signal = info.si_signo;
  Route& way = route(signal);
  way.in_flight.fetch_add(1);
  if (const pid_t taker = way.taker.load(); taker == 0) {
    send_to_process(sent);
  } else if (taker != kIgnored &&
             raw_syscall(SYS_rt_tgsigqueueinfo, raw_syscall(SYS_getpid), taker, signal, &sent) != 0) {
    way.unqueued.fetch_add(1);
    wake(taker);
  }
  way.in_flight.fetch_sub(1);
}

bool is_of_kernel(const siginfo_t& info) {
  return info.si_code == SI_KERNEL || (info.si_code == SI_QUEUE && info.si_ptr == &of_kernel);
}

int take_unqueued(SignalSet signals, pid_t taker) {
  for (int signal = 1; signal <= kLastSignal; ++signal) {
    if ((signals & signal_bit(signal)) == 0 || route(signal).taker.load() != taker) continue;
    std::atomic<int>& unqueued = route(signal).unqueued;
    int count = unqueued.load();
    while (count > 0 && !unqueued.compare_exchange_weak(count, count - 1)) {
    }
    if (count > 0) return signal;
  }
  return 0;
}

SignalSet taken_by_others(SignalSet signals, pid_t thread) {
  SignalSet others = 0;
  for_each_of(signals, [&](int signal) {
    const pid_t taker = route(signal).taker.load();
    if (taker > 0 && taker != thread) others |= signal_bit(signal);
  });
  return others;
}

void keep_taking(int signal, const std::function<void()>& change) {
  const std::lock_guard guard{lock()};
  const Action before = exchange_action(signal, nullptr);
  change();
  const auto& layers = overlaid(signal).layers;
  const bool has_changed = exchange_action(signal, nullptr).handler != before.handler;
  if (has_changed && !layers.empty()) install(signal, *layers.back(), true);
}

bool is_taken(int signal) {
  const std::lock_guard guard{lock()};
  return !overlaid(signal).layers.empty();
}

void come_again(int signal) {
  siginfo_t info{};
  info.si_signo = signal;
  forward(info);
}

}  // namespace sigshield::platform
