#include "core/sync_child.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cmath>
#include <csignal>
#include <cstddef>
#include <utility>

namespace sigshield {

namespace {

// How often a child is looked at whose exit no descriptor tells.
constexpr double kLookMs = 10;
// How much of the grace counts at once: time in which this process was stopped does not.
constexpr double kGraceStepMs = 100;
// Behind the exit, the input and the interrupts.
constexpr std::size_t kFirstOutput = 3;

double now() {
  const auto time = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::milli>(time).count();
}

}  // namespace

SyncChild::SyncChild(const SyncLimits& limits) : limits_(limits) {
  if (limits.timeout > 0) timeout_at_ = now() + limits.timeout;
}

Failure SyncChild::listen(std::function<bool(pid_t)> is_enough) {
  is_enough_ = std::move(is_enough);
  return interrupts_.open(SIGINT);
}

SyncEnd SyncChild::run(StartResult started, std::optional<std::span<const char>> input) {
  process_ = std::move(started.process);
  exit_descriptor_ = platform::exit_descriptor(process_);
  auto pipe = started.pipes.begin();
  if (input && pipe != started.pipes.end()) input_ = InputPipe{std::move(*pipe++), *input};
  for (; pipe != started.pipes.end(); ++pipe) outputs_.emplace_back(std::move(*pipe));
  while (!is_over()) {
    wait();
    // Before its exit: a child that has written too much and ended is known to have done both.
    move_data();
    // What a child has started is its own only as long as it is there. What came before its exit may be handled after
    // the poll that tells the exit.
    look_for_interrupts();
    look_for_exit();
    look_at_clock();
  }
  if (end_.error == 0) end_.error = pipe_error_;
  return end_;
}

bool SyncChild::is_over() const {
  const auto has_ended = [](const OutputPipe& output) { return output.fd() < 0; };
  return has_exited_ && input_.is_done() && std::all_of(outputs_.begin(), outputs_.end(), has_ended);
}

int SyncChild::milliseconds_to_wait() const {
  double wait = std::min(is_killed_ ? kNever : timeout_at_, drained_at_) - now();
  if (!has_exited_ && exit_descriptor_ < 0) wait = std::min(wait, kLookMs);
  if (!has_exited_ && grace_left_ < kNever) wait = std::min({wait, grace_left_, kGraceStepMs});
  if (wait == kNever) return -1;
  return static_cast<int>(std::ceil(std::clamp(wait, 0.0, static_cast<double>(INT_MAX))));
}

void SyncChild::wait() {
  polled_.clear();
  polled_.push_back({has_exited_ ? -1 : exit_descriptor_, POLLIN, 0});
  polled_.push_back({input_.fd(), POLLOUT, 0});
  polled_.push_back({interrupts_.fd(), POLLIN, 0});
  for (const OutputPipe& output : outputs_) polled_.push_back({output.fd(), POLLIN, 0});
  if (platform::wait_for_any(polled_, milliseconds_to_wait()) >= 0 || errno == EINTR) return;
  // No memory for it, or more descriptors than a limit that was lowered since: all are tried in turns.
  platform::wait_for_any({}, static_cast<int>(kLookMs));
  for (pollfd& one : polled_) one.revents = one.fd < 0 ? short{0} : one.events;
}

void SyncChild::move_data() {
  const auto failed = [this](int error) {
    if (pipe_error_ == 0) pipe_error_ = error;
  };
  if (polled_[1].revents != 0) failed(input_.write_some());
  std::size_t total = 0;
  for (const OutputPipe& output : outputs_) total += output.size();
  for (std::size_t i = 0; i < outputs_.size() && !is_killed_; ++i) {
    OutputPipe& output = outputs_[i];
    if (polled_[i + kFirstOutput].revents == 0) continue;
    const std::size_t before = output.size();
    failed(output.read_some());
    total += output.size() - before;
    if (output.size() == before || limits_.max_buffer <= 0) continue;
    if (static_cast<double>(total) > limits_.max_buffer) limit_reached(ENOBUFS);
  }
}

void SyncChild::look_for_interrupts() {
  for (int count = interrupts_.count(); count > 0; --count) {
    if (is_enough_(has_exited_ ? -1 : process_.pid)) kill_at_once();
  }
}

void SyncChild::look_for_exit() {
  if (has_exited_ || (exit_descriptor_ >= 0 && polled_[0].revents == 0)) return;
  switch (platform::reap(process_, end_.status)) {
    case platform::Fate::kLives:
    case platform::Fate::kUnknown:
      // A tracer holds it, or the system refuses to tell: its descriptor would be readable all the time.
      exit_descriptor_ = -1;
      return;
    case platform::Fate::kExited:
    case platform::Fate::kGone:
      break;
  }
  has_exited_ = true;
  drained_at_ = now() + limits_.drain;
}

void SyncChild::look_at_clock() {
  const double time = now();
  if (time >= drained_at_) close_pipes();
  if (is_killed_) {
    grace_left_ -= std::min(time - last_look_, 2 * kGraceStepMs);
    if (grace_left_ <= 0 && !has_exited_) kill_at_once();
  } else if (time >= timeout_at_ && !is_over()) {
    limit_reached(ETIMEDOUT);
  }
  last_look_ = time;
}

void SyncChild::limit_reached(int error) {
  if (end_.error == 0) end_.error = error;
  is_killed_ = true;
  grace_left_ = limits_.grace;
  last_look_ = now();
  if (!has_exited_) kill();
  // Descendants may hold them for as long as they like.
  close_pipes();
}

void SyncChild::kill_at_once() {
  // Nothing can be done where this is refused.
  static_cast<void>(platform::send_signal(process_, SIGKILL));
  is_killed_ = true;
  grace_left_ = kNever;
  close_pipes();
}

void SyncChild::kill() {
  if (!platform::send_signal(process_, limits_.kill_signal)) return;
  // One that can't be sent at all, or a child that may not be signalled.
  static_cast<void>(platform::send_signal(process_, SIGKILL));
}

void SyncChild::close_pipes() {
  input_.close();
  for (OutputPipe& output : outputs_) output.close();
}

}  // namespace sigshield
