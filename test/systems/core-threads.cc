// The native core without Node, for sanitizers that see all of a program: four threads that start, signal and reap
// children at once, each with an event loop of its own as a worker thread has, while a fifth changes the environment.
//
//   core-threads ROUNDS [race | leak | overflow | shift]
//
// The second argument asks for a mistake that the sanitizer must find. It is long, as it is one program.
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include <array>
#include <atomic>
#include <barrier>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <semaphore>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "core/child_environment.h"
#include "core/environment_lock.h"
#include "core/exit_event_watch.h"
#include "core/exit_pipe.h"
#include "core/exit_watcher.h"
#include "core/start.h"
#include "platform/linux/raw_syscall.h"
#include "platform/own_signals.h"

// In place of ThreadSanitizer's own, which takes every clone for a fork and works in the child on memory that it takes
// for a copy. So the child half is not seen: it is built without sanitizers, and runs nothing of theirs.
extern "C" int __clone(int (*)(void*), void*, int, void*, ...);
extern "C" [[gnu::visibility("default")]] int clone(int (*run)(void*), void* stack, int flags, void* argument, ...) {
  va_list rest;
  va_start(rest, argument);
  int* const parent_word = va_arg(rest, int*);
  va_end(rest);
  return __clone(run, stack, flags, argument, parent_word);
}

// Node's lock for its environment, by the name under which the core looks for it.
namespace node::per_process {
[[gnu::visibility("default")]] uv_mutex_t env_var_mutex;
}  // namespace node::per_process

namespace {

using namespace sigshield;
using platform::ChildId;

constexpr int kThreads = 4;
constexpr int kNobody = 65534;

std::string_view mistake;

void expect_that(bool is_so, const char* what) {
  if (is_so) return;
  std::fprintf(stderr, "not so: %s\n", what);
  std::abort();
}
#define EXPECT(condition) expect_that(condition, #condition)

// ---- What is started

StringList list_of(const std::vector<std::string_view>& texts) {
  std::string block;
  for (const std::string_view text : texts) append_string(block, text);
  return StringList{std::move(block)};
}

StartOptions protected_options() {
  StartOptions options{};
  options.ignored = signal_bit(SIGINT) | signal_bit(SIGHUP);
  options.enforcement = Enforcement::kIfAvailable;
  options.exit_source = -1;
  options.exit_target = 8;
  options.waits_for_exec = 1;
  return options;
}

// Of a program with the arguments given, and without descriptors.
struct Recipe {
  std::vector<std::string_view> arguments;
  StartOptions options = protected_options();
  std::string directory = "/";
  std::vector<int> descriptors = {kNoDescriptor, kNoDescriptor, kNoDescriptor};
  std::optional<std::vector<gid_t>> groups = {};
  bool has_own_environment = false;  // Or the process's.
};

StartResult start_one(const Recipe& recipe) {
  const std::string changes{"CHANGED=1\0REMOVED\0", 18};
  const std::string own{"PATH=/usr/bin:/bin\0REMOVED=1\0", 29};
  StartRequest request{
      .file = std::string{recipe.arguments.front()},
      .arguments = list_of(recipe.arguments),
      .environment = StringList{recipe.has_own_environment ? child_environment(own, changes)
                                                           : child_environment(std::nullopt, changes)},
      .directory = recipe.directory,
      .descriptors = recipe.descriptors,
      .groups = recipe.groups,
      .options = recipe.options,
  };
  return start(std::move(request));
}

void expect_failure(const Recipe& recipe, Step step, int error) {
  const StartResult result = start_one(recipe);
  EXPECT(result.failure.step == step);
  EXPECT(result.failure.error == error);
}

// ---- A thread of its own with a loop, as a worker's

class Worker {
 public:
  Worker() {
    EXPECT(uv_loop_init(&loop_) == 0);
    watcher_ = new ExitWatcher{&loop_, [this](const StartOutcome& outcome) { started(outcome); },
                               [this](const Exit& exit) { ended(exit); }};
    EXPECT(!watcher_->open());
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Its children that still live are left to the reaper.
  ~Worker() {
    watcher_->close([this] { delete watcher_; });
    run();
    EXPECT(uv_loop_close(&loop_) == 0);
  }

  void round() {
    expect_end(start_one({.arguments = {"true"}}));
    expect_end(start_one({.arguments = {"sh", "-c", "exit 7"}, .has_own_environment = true}), 7);
    expect_failure({.arguments = {"/no/such/program"}}, Step::kExecve, ENOENT);
    expect_failure({.arguments = {"true"}, .directory = "/no/such/folder"}, Step::kChdir, ENOENT);
    expect_failure({.arguments = {"true"}, .descriptors = {-1, 1'000'000}}, Step::kDup, EBADF);
    start_with_ids();
    start_and_signal();
    start_with_pipe();
    start_with_event();
    watch_event();
    has_started_another_ = false;
    run();
    EXPECT(expected_.empty());
  }

  // Starts that do not wait for their programs, as the main thread's may: several at once.
  void round_under_way() {
    Recipe recipe{.arguments = {"true"}};
    recipe.options.waits_for_exec = 0;
    const std::string too_long(std::size_t{1} << 18, 'x');
    Recipe refused{.arguments = {"true", too_long}, .options = recipe.options};
    // The first shows that filters can be installed.
    expect_end(start_one({.arguments = {"true"}}));
    for (int i = 0; i < 4; ++i) {
      StartResult result = start_one(recipe);
      EXPECT(result.under_way != nullptr);
      running_.emplace(expect_end(std::move(result)), Failure{});
      result = start_one(refused);
      EXPECT(!result.failure && result.under_way != nullptr);
      running_.emplace(watcher_->add(std::move(result.process), std::nullopt, std::move(result.under_way)),
                       Failure{Step::kExecve, E2BIG});
    }
    has_started_another_ = true;
    run();
    EXPECT(expected_.empty());
    EXPECT(running_.empty());
  }

  // One that lives when this is gone, and one that ends as it goes, each with its group.
  pid_t leave_behind() {
    pid_t pid = 0;
    ChildId id = 0;
    for (int i = 0; i < 2; ++i) {
      Recipe sleeper{.arguments = {"sleep", "1000"}};
      sleeper.options.set_process_group = 1;
      StartResult result = start_one(sleeper);
      EXPECT(!result.failure);
      if (i == 0) pid = result.process.pid;
      id = watcher_->add(std::move(result.process), std::nullopt, std::move(result.under_way));
      watcher_->keep_alive(id, false);
      watcher_->kill_group_at_exit(id);
    }
    EXPECT(!watcher_->kill(id, SIGKILL));
    return pid;
  }

 private:
  void run() { uv_run(&loop_, UV_RUN_DEFAULT); }

  ChildId expect_end(StartResult result, int code = 0, int signal = 0) {
    EXPECT(!result.failure);
    EXPECT(result.process.pid > 0);
    const ChildId id = watcher_->add(std::move(result.process), std::nullopt, std::move(result.under_way));
    expected_.emplace(id, std::pair{code, signal});
    return id;
  }

  void started(const StartOutcome& outcome) {
    const auto found = running_.find(outcome.id);
    EXPECT(found != running_.end());
    EXPECT(outcome.started.failure.step == found->second.step);
    EXPECT(outcome.started.failure.error == found->second.error);
    running_.erase(found);
  }

  void ended(const Exit& exit) {
    EXPECT(!running_.contains(exit.id));
    const auto found = expected_.find(exit.id);
    // One that was left behind, and killed.
    if (found == expected_.end()) return;
    EXPECT(exit.status.known);
    EXPECT((std::pair{exit.status.code, exit.status.signal} == found->second));
    expected_.erase(found);
    // From within the delivery, as a listener may.
    if (!std::exchange(has_started_another_, true)) expect_end(start_one({.arguments = {"true"}}));
  }

  void start_with_ids() {
    if (getuid() != 0) return;
    Recipe recipe{.arguments = {"true"}, .groups = std::vector<gid_t>{kNobody}};
    recipe.options.set_uid = recipe.options.set_gid = 1;
    recipe.options.uid = recipe.options.gid = kNobody;
    recipe.options.parent_death_signal = SIGTERM;
    expect_end(start_one(recipe));
    recipe.directory = "/no/such/folder";
    expect_failure(recipe, Step::kChdir, ENOENT);
  }

  void start_and_signal() {
    Recipe sleeper{.arguments = {"sleep", "1000"}};
    sleeper.options.set_process_group = 1;
    const ChildId one = expect_end(start_one(sleeper), 0, SIGTERM);
    const ChildId group = expect_end(start_one(sleeper), 0, SIGKILL);
    // What is ignored ends nobody.
    EXPECT(!watcher_->kill(one, SIGINT));
    EXPECT(watcher_->stop_signal(one) == 0);
    EXPECT(!watcher_->kill(one, SIGTERM));
    watcher_->kill_group_at_exit(group);
    EXPECT(!watcher_->kill_group(group, SIGKILL));
  }

  void start_with_pipe() {
    StartResult result = start_one({.arguments = {"sh", "-c", "echo $CHANGED"}, .descriptors = {-1, kNewPipe, -1}});
    EXPECT(result.pipes.size() == 1);
    std::array<char, 16> text{};
    EXPECT(read(result.pipes[0].get(), text.data(), text.size()) == 2);
    EXPECT(std::string_view{text.data()} == "1\n");
    expect_end(std::move(result));
  }

  void start_with_event() {
    ExitPipe event;
    EXPECT(!event.open());
    EXPECT(claim_exit_fd(event.read_fd(), event.inode()).is_ours);
    Recipe recipe{.arguments = {"sh", "-c", "read line <&8; test \"$line\" = 'exit requested'"}};
    recipe.options.exit_source = event.read_fd();
    StartResult result = start_one(recipe);
    event.close_read_end();
    EXPECT(event.has_readers());
    event.set();
    expect_end(std::move(result));
  }

  // The child's side: a thread raises the flag, the loop is told, and another thread waits.
  void watch_event() {
    struct Watched {
      ExitPipe event;
      std::int32_t flag = 0;
      std::unique_ptr<ExitEventWatch> watch;
    };
    auto* const watched = new Watched;
    EXPECT(!watched->event.open());
    const int fd = watched->event.read_fd();
    EXPECT(wait_for_exit_event(fd, 0) == ExitReason::kUnset);
    watched->watch = std::make_unique<ExitEventWatch>(&loop_, fd, &watched->flag, [watched] {
      EXPECT(std::atomic_ref{watched->flag}.load() == static_cast<std::int32_t>(ExitReason::kRequested));
      watched->watch->close([watched] { delete watched; });
    });
    EXPECT(!watched->watch->failure());
    // Nothing else of the test keeps the loop alive until it is told.
    uv_walk(&loop_, [](uv_handle_t* handle, void*) { handle->type == UV_ASYNC ? uv_ref(handle) : void(); }, nullptr);
    std::thread waiting{[fd] { EXPECT(wait_for_exit_event(fd, INFINITY) == ExitReason::kRequested); }};
    watched->event.set();
    waiting.join();
  }

  uv_loop_t loop_{};
  ExitWatcher* watcher_ = nullptr;
  std::map<ChildId, std::pair<int, int>> expected_;  // Exit code and signal.
  // What is to come of starts that are under way.
  std::map<ChildId, Failure> running_;
  bool has_started_another_ = false;
};

// ---- The environment, as JavaScript changes it

void set_variable(int value) {
  const std::string text = std::to_string(value);
  setenv("CHANGING", text.c_str(), 1);
  // setenv(3) is not the sanitizer's to see, this is.
  std::swap(environ[0], environ[1]);
}

void change_environment(const std::atomic<bool>& is_over) {
  for (int i = 0; !is_over; ++i) {
    if (mistake == "race") {
      set_variable(i);
    } else {
      const EnvironmentLock lock;
      set_variable(i);
    }
    std::this_thread::yield();
  }
}

// ---- This process's own signals

// Held, ignored and waited for by all threads at once: which of them takes it is open, that none is left waiting is
// not.
void share_signals() {
  const SignalSet both = signal_bit(SIGUSR1) | signal_bit(SIGUSR2);
  const platform::SignalsIgnored ignored{both};
  const platform::SignalHold hold{signal_bit(SIGUSR1)};
  EXPECT(hold.error() == 0);
  const platform::SignalWait wait{signal_bit(SIGUSR2), INFINITY, [] {}};
  EXPECT(wait.error() == 0);
  platform::keep_taking(SIGUSR1, [] {});
  kill(getpid(), SIGUSR1);
  kill(getpid(), SIGUSR2);
}

// One that no other thread uses: it is held, and handed on to who has waited before.
void hand_on(int signal) {
  std::binary_semaphore done{0};
  platform::SignalWait wait{signal_bit(signal), INFINITY, [&] { done.release(); }};
  EXPECT(wait.error() == 0);
  {
    const platform::SignalHold hold{signal_bit(signal)};
    EXPECT(hold.error() == 0);
    kill(getpid(), signal);
  }
  done.acquire();
  const platform::Arrival arrival = wait.finish();
  EXPECT(arrival.signal == signal);
  EXPECT(arrival.sender == getpid());
  EXPECT(platform::take_signal(signal_bit(signal), 1).signal == 0);
}

// The one thread that the core's handler runs on, as the sanitizer does not know of it: outside of all that is the
// sanitizer's.
[[gnu::no_sanitize_thread, gnu::no_sanitize_address]] void take_signals() {
  const SignalSet none = 0;
  platform::raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, sizeof none);
  for (;;) platform::raw_syscall(SYS_ppoll, nullptr, 0, nullptr, nullptr, 0);
}

// ---- All of it

std::ptrdiff_t descriptors() {
  const std::filesystem::directory_iterator open{"/proc/self/fd"};
  return std::distance(begin(open), end(open));
}

pid_t run_thread(int number, std::barrier<>& together, std::barrier<>& over, int rounds) {
  auto worker = std::make_unique<Worker>();
  // What is done once in a process is done by all at once.
  together.arrive_and_wait();
  for (int i = 0; i < rounds; ++i) {
    worker->round();
    share_signals();
    hand_on(SIGRTMIN + number);
  }
  const pid_t left = worker->leave_behind();
  over.arrive_and_wait();
  return left;
}

void reap_all() {
  siginfo_t info{};
  while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0) std::this_thread::yield();
  EXPECT(errno == ECHILD);
}

// Three that AddressSanitizer, its search for leaks and UndefinedBehaviorSanitizer must find in the core.
void make_mistake() {
  if (mistake == "leak") {
    for (int i = 0; i < 10; ++i) static_cast<void>(new StringList{std::string(1000, 'x')});
  }
  if (mistake == "overflow") {
    const std::vector<char*> none{nullptr};
    std::vector<int> one{kNoDescriptor};
    static_cast<void>(platform::start({.candidates = none.data(),
                                       .arguments = none.data(),
                                       .environment = none.data(),
                                       .shell_arguments = nullptr,
                                       .directory = nullptr,
                                       .descriptors = one.data(),
                                       .descriptor_count = 2,
                                       .groups = nullptr,
                                       .group_count = -1,
                                       .terminal = -1,
                                       .options = protected_options(),
                                       .owner = nullptr}));
  }
  // NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread.
  if (mistake == "shift") std::printf("%d\n", signal_bit(std::getenv("NOWHERE") == nullptr ? 0 : 1) != 0 ? 1 : 0);
}

}  // namespace

int main(int count, char** arguments) {
  const int rounds = count > 1 ? std::atoi(arguments[1]) : 10;
  mistake = count > 2 ? arguments[2] : "";
  const platform::SignalsBlocked blocked{kProgramSignals};
  signal(SIGUSR1, SIG_IGN);
  signal(SIGUSR2, SIG_IGN);
  setenv("REMOVED", "1", 1);
  setenv("CHANGED", "0", 1);
  EXPECT(uv_mutex_init(&node::per_process::env_var_mutex) == 0);
  EXPECT(EnvironmentLock::exists());
  std::thread{take_signals}.detach();
  make_mistake();

  // What libuv opens once, at the first loop, and what the first start keeps, is not a leak.
  Worker{}.round_under_way();
  const std::ptrdiff_t before = descriptors();
  std::atomic<bool> is_over{false};
  std::thread changing{[&] { change_environment(is_over); }};
  std::barrier<> together{kThreads};
  std::barrier<> over{kThreads + 1};
  std::array<pid_t, kThreads> left{};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] { left[static_cast<std::size_t>(i)] = run_thread(i, together, over, rounds); });
  }
  {
    // One loop for all rounds, and none ends before all are over: TSan does not see that libuv closes the descriptors
    // of a loop, whose numbers others get.
    Worker own;
    for (int i = 0; i < rounds; ++i) own.round_under_way();
    over.arrive_and_wait();
    for (std::thread& thread : threads) thread.join();
  }
  for (const pid_t pid : left) kill(pid, SIGKILL);
  is_over = true;
  changing.join();
  reap_all();
  // The reaper closes its own when it has none left to reap.
  while (descriptors() > before) std::this_thread::yield();
  std::puts("done");
}
