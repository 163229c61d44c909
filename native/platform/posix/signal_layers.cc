// It is long, as all that touches the way of a signal stands together: it is right by its order.
#include "platform/posix/signal_layers.h"

#include <sched.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <functional>
#include <iterator>
#include <mutex>
#include <optional>
#include <vector>

#include "platform/posix/signal_sets.h"

namespace sigshield::platform {

namespace {

using Action = struct sigaction;

struct Overlaid {
  // What is put back after the last layer. It may be another copy's, which lies over ours.
  Action before{};
  // What lies below all of ours. Who has lain over our action may bring it back when there is no layer any more: then
  // it gives way to this.
  std::optional<Action> below;
  std::vector<const SignalLayer*> layers;
};

using PerSignal = std::array<Overlaid, kLastOwnSignal + 1>;

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

enum class Fate { kAsEver, kIgnored, kKept };

// What the handler reads and writes.
struct Route {
  // The last layer's; as ever where there is none.
  std::atomic<Fate> fate{Fate::kAsEver};
  std::atomic<const WakeUp*> wake_up{nullptr};
  // That have come, and nobody has taken.
  std::atomic<int> kept{0};
  std::atomic<pid_t> sender{0};
  std::atomic<uid_t> uid{0};
  std::atomic<bool> is_of_kernel{false};
  std::atomic<int> in_flight{0};
  std::atomic<bool> gives_way{false};
};
static_assert(std::atomic<Fate>::is_always_lock_free && std::atomic<pid_t>::is_always_lock_free &&
              std::atomic<const WakeUp*>::is_always_lock_free);

Route& route(int signal) {
  static constinit std::array<Route, kLastOwnSignal + 1> routes;
  return routes[static_cast<std::size_t>(signal)];
}

// Of those that wait there is one at the most, as in the kernel; real-time ones queue, where there are any.
constexpr int kLastStandardSignal = 31;

void note(Route& way, const Arrival& arrival) {
  way.sender.store(arrival.sender);
  way.uid.store(arrival.uid);
  way.is_of_kernel.store(arrival.is_of_kernel);
}

// Runs in handlers too: lock-free atomics and write(2) alone.
void keep(const Arrival& arrival) {
  Route& way = route(arrival.signal);
  if (arrival.signal > kLastStandardSignal) {
    note(way, arrival);
    way.kept.fetch_add(1);
  } else if (way.kept.load() == 0) {
    // Of several at the same time one is noted.
    note(way, arrival);
    way.kept.store(1);
  }
  if (const WakeUp* const wake_up = way.wake_up.load(); wake_up != nullptr) wake_up->send();
}

void send_to_process(int signal) { static_cast<void>(kill(getpid(), signal)); }

void on_signal(int signal, siginfo_t* info, void*);

bool is_on_signal(const Action& action) {
  return (action.sa_flags & SA_SIGINFO) != 0 && action.sa_sigaction == &on_signal;
}

bool is_same_handler(const Action& one, const Action& other) {
  return is_on_signal(one) == is_on_signal(other) && (is_on_signal(one) || one.sa_handler == other.sa_handler);
}

// Copies of this library know each other's actions so: who else lets a signal into its own handler does not block it
// there.
bool is_of_a_copy(int signal, const Action& action) {
  constexpr int kMark = SA_SIGINFO | SA_NODEFER;
  return (action.sa_flags & kMark) == kMark && sigismember(&action.sa_mask, signal) == 1;
}

Action action_of(const SignalLayer& layer) {
  Action action{};
  if (layer.kind() == SignalLayer::Kind::kIgnores) {
    action.sa_handler = SIG_IGN;
    return action;
  }
  action.sa_sigaction = &on_signal;
  action.sa_flags = SA_SIGINFO | SA_RESTART | SA_NODEFER | static_cast<int>(SA_ONSTACK);
  // A handler that is interrupted is still on its way.
  sigfillset(&action.sa_mask);
  return action;
}

Action exchange_action(int signal, const Action* action) {
  Action old{};
  sigaction(signal, action, &old);
  return old;
}

// For an action of ours that was brought back. One thread does it: what has come since is not written over.
void give_way(int signal) {
  Route& way = route(signal);
  if (way.gives_way.exchange(true)) return;
  if (is_on_signal(exchange_action(signal, nullptr))) exchange_action(signal, &*overlaid(signal).below);
  way.gives_way.store(false);
}

void arrive(const Arrival& arrival) {
  Route& way = route(arrival.signal);
  way.in_flight.fetch_add(1);
  if (const Fate fate = way.fate.load(); fate == Fate::kKept) {
    keep(arrival);
  } else if (fate == Fate::kAsEver) {
    send_to_process(arrival.signal);
  }
  way.in_flight.fetch_sub(1);
}

void on_signal(int signal, siginfo_t* info, void*) {
  const int error = errno;
  const bool has_sender = info->si_code <= 0 || info->si_code == SI_USER || info->si_code == SI_QUEUE;
  Arrival arrival{.signal = signal, .is_of_kernel = !has_sender};
  if (has_sender) {
    arrival.sender = info->si_pid;
    arrival.uid = info->si_uid;
  }
  Route& way = route(signal);
  // No layer comes meanwhile.
  way.in_flight.fetch_add(1);
  if (way.fate.load() == Fate::kAsEver) give_way(signal);
  arrive(arrival);
  way.in_flight.fetch_sub(1);
  errno = error;
}

void wait_until_none_is_on_its_way(int signal) {
  while (route(signal).in_flight.load() != 0) sched_yield();
}

void point_to(int signal, const SignalLayer& layer) {
  Route& way = route(signal);
  way.wake_up.store(layer.wake_up());
  way.fate.store(layer.kind() == SignalLayer::Kind::kKeeps ? Fate::kKept : Fate::kIgnored);
}

// `is_base`: what is there can't be what somebody lies over our layers with.
void install(int signal, const SignalLayer& layer, bool is_base) {
  Overlaid& state = overlaid(signal);
  // Our handler never stands there without a layer.
  point_to(signal, layer);
  // From here on nobody gives way, keeps what is ignored, or uses the wake-up of who took it before.
  wait_until_none_is_on_its_way(signal);
  const Action wanted = action_of(layer);
  const Action found = exchange_action(signal, &wanted);
  if (is_on_signal(found)) {
    if (state.layers.empty()) state.before = *state.below;
  } else if (state.layers.empty() || !is_same_handler(found, action_of(*state.layers.back()))) {
    state.before = found;
    // Not one that may lie over ours itself, where there is another.
    if (is_base && !(state.below && is_of_a_copy(signal, found))) state.below = found;
  }
}

// What is kept is its next taker's. After the last it comes again; who ignores it drops it, as the kernel does.
void hand_on(int signal) {
  const auto& layers = overlaid(signal).layers;
  std::atomic<int>& kept = route(signal).kept;
  if (layers.empty()) {
    for (int left = kept.exchange(0); left > 0; --left) send_to_process(signal);
  } else if (layers.back()->kind() == SignalLayer::Kind::kIgnores) {
    kept.store(0);
  } else if (kept.load() > 0) {
    layers.back()->wake();
  }
}

void put(int signal, const SignalLayer& layer) {
  install(signal, layer, overlaid(signal).layers.empty());
  overlaid(signal).layers.push_back(&layer);
  hand_on(signal);
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
  if (is_on_signal(found) || is_same_handler(found, action_of(layer))) exchange_action(signal, &action);
  if (next == nullptr) {
    route(signal).wake_up.store(nullptr);
    route(signal).fate.store(Fate::kAsEver);
  }
  // Nobody uses the layer's wake-up any more.
  wait_until_none_is_on_its_way(signal);
  hand_on(signal);
}

template <typename Each>
void for_each_of(SignalSet signals, Each each) {
  for (int signal = 1; signal <= kLastOwnSignal; ++signal) {
    if ((signals & signal_bit(signal)) != 0) each(signal);
  }
}

}  // namespace

SignalLayer::SignalLayer(SignalSet signals, Kind kind, const WakeUp* wake_up)
    : signals_(signals), kind_(kind), wake_up_(wake_up) {
  const std::lock_guard guard{lock()};
  for_each_of(signals_, [this](int signal) { put(signal, *this); });
}

SignalLayer::~SignalLayer() {
  const std::lock_guard guard{lock()};
  for_each_of(signals_, [this](int signal) { remove(signal, *this); });
}

Arrival SignalLayer::take(SignalSet signals) const {
  const std::lock_guard guard{lock()};
  Arrival arrival;
  for_each_of(signals & signals_, [&](int signal) {
    if (arrival.signal != 0 || overlaid(signal).layers.back() != this) return;
    Route& way = route(signal);
    if (way.kept.load() == 0) return;
    arrival = {
        .signal = signal, .sender = way.sender.load(), .uid = way.uid.load(), .is_of_kernel = way.is_of_kernel.load()};
    way.kept.fetch_sub(1);
  });
  return arrival;
}

void keep_taking(int signal, const std::function<void()>& change) {
  const std::lock_guard guard{lock()};
  const Action before = exchange_action(signal, nullptr);
  change();
  const auto& layers = overlaid(signal).layers;
  const bool has_changed = !is_same_handler(exchange_action(signal, nullptr), before);
  if (has_changed && !layers.empty()) install(signal, *layers.back(), true);
}

bool is_taken(int signal) {
  const std::lock_guard guard{lock()};
  return !overlaid(signal).layers.empty();
}

void come_again(int signal) { arrive({.signal = signal}); }

}  // namespace sigshield::platform
