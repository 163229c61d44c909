#include "core/exit_watcher.h"

#include <cerrno>
#include <csignal>
#include <memory>
#include <utility>

#include "core/terminal.h"

namespace sigshield {

namespace {

using platform::ChildId;
using platform::ExitStatus;
using platform::Fate;
using platform::ProcessReference;

// The mode too, as a shell does for a job that could not do so itself.
void take_back(const ForegroundJob& job, bool keeps_mode) {
  const termios* const mode = job.mode_before && !keeps_mode ? &*job.mode_before : nullptr;
  take_back_terminal(job.terminal.get(), job.group, mode);
}

// What goes with a child's end: the rest of its process group, and the terminal.
struct Group {
  const ForegroundJob* foreground_job;  // Or null.
  bool dies_with_it;
};

void end_group(const Group& group, const ProcessReference& process, Fate fate, const ExitStatus& status) {
  // Nobody may be left in it.
  if (group.dies_with_it) static_cast<void>(platform::send_signal_to_group(process, SIGKILL));
  if (group.foreground_job == nullptr) return;
  const bool led_group = group.foreground_job->group == process.pid;
  if (fate == Fate::kGone && led_group && platform::group_is_anothers(process)) return;
  // A program that ends by itself leaves the terminal as it wants it: stty is one.
  const bool left_by_itself = status.known && status.signal == 0;
  take_back(*group.foreground_job, left_by_itself);
}

// Reaps a child that has exited. One that has stopped gives back the terminal.
Fate reap_with_group(const Group& group, const ProcessReference& process, ExitStatus& status) {
  const bool has_group = group.dies_with_it || group.foreground_job != nullptr;
  // Before it is reaped: until then the number of its group is its own.
  const Fate seen = has_group ? platform::look_at(process, status) : Fate::kUnknown;
  if (seen == Fate::kExited) end_group(group, process, seen, status);
  // One that exits right now is announced again.
  const Fate fate = seen == Fate::kLives ? seen : platform::reap(process, status);
  if (fate == Fate::kLives) {
    if (group.foreground_job != nullptr && platform::has_stopped(process)) take_back(*group.foreground_job, false);
  } else if (fate != Fate::kUnknown && has_group && seen != Fate::kExited) {
    end_group(group, process, Fate::kGone, status);
  }
  return fate;
}

}  // namespace

ExitWatcher::ExitWatcher(uv_loop_t* loop, DeliverStart deliver_start, Deliver deliver)
    : deliver_start_(std::move(deliver_start)),
      deliver_(std::move(deliver)),
      source_(loop, [this](std::span<const ChildId> ids) { look_at(ids); }) {}

ChildId ExitWatcher::add(ProcessReference process, std::optional<ForegroundJob> foreground_job,
                         std::unique_ptr<platform::StartUnderWay> under_way) {
  do ++last_id_;
  while (children_.contains(last_id_));
  const ChildId id = last_id_;
  source_.watch(id, process, foreground_job.has_value());
  auto job = foreground_job ? std::make_shared<const ForegroundJob>(std::move(*foreground_job)) : nullptr;
  if (under_way) {
    source_.watch_start(id, under_way->fd());
    count_alive(1);
  }
  children_.emplace(id, Child{std::move(process), std::move(job), std::move(under_way), {}});
  count_alive(1);
  return id;
}

Failure ExitWatcher::kill(ChildId id, int signal) const {
  const auto found = children_.find(id);
  if (found == children_.end()) return {Step::kKill, ESRCH};
  return platform::send_signal(found->second.process, signal);
}

Failure ExitWatcher::kill_group(ChildId id, int signal) const {
  const auto found = children_.find(id);
  if (found == children_.end()) return {Step::kKill, ESRCH};
  return platform::send_signal_to_group(found->second.process, signal);
}

void ExitWatcher::kill_group_at_exit(ChildId id) {
  const auto found = children_.find(id);
  if (found != children_.end()) found->second.group_dies_with_it = true;
}

int ExitWatcher::stop_signal(ChildId id) const {
  const auto found = children_.find(id);
  return found == children_.end() ? 0 : platform::stop_signal(found->second.process);
}

void ExitWatcher::keep_alive(ChildId id, bool on) {
  const auto found = children_.find(id);
  if (found == children_.end() || found->second.keeps_alive == on) return;
  found->second.keeps_alive = on;
  count_alive(on ? 1 : -1);
}

void ExitWatcher::close(std::function<void()> closed) {
  std::vector<platform::Orphan> orphans;
  for (auto& [id, child] : children_) {
    // Its start may be under way still, and is kept until it has ended.
    auto reap = [job = child.foreground_job, dies = child.group_dies_with_it,
                 under_way = std::move(child.under_way)](const ProcessReference& process) {
      ExitStatus status;
      return reap_with_group({job.get(), dies}, process, status);
    };
    orphans.push_back({std::move(child.process), std::move(reap), child.foreground_job != nullptr});
  }
  children_.clear();
  if (!orphans.empty()) platform::reap_later(std::move(orphans));
  source_.close(std::move(closed));
}

// Children are taken out before any is delivered, as a delivery may start, kill or forget others.
void ExitWatcher::look_at(std::span<const ChildId> ids) {
  std::vector<Event> events;
  for (const ChildId id : ids) take(id, events);
  for (const Event& event : events) {
    if (const auto* const outcome = std::get_if<StartOutcome>(&event)) deliver_start_(*outcome);
    if (const auto* const exit = std::get_if<Exit>(&event)) deliver_(*exit);
  }
}

// One that has failed is told of when it is reaped.
void ExitWatcher::take_start(ChildId id, Child& child, bool has_ended, std::vector<Event>& events) {
  StartOutcome outcome{id, {}, nullptr};
  if (!child.under_way || child.failure) return;
  if (!child.under_way->is_over(child.process.pid, has_ended, outcome.started)) return;
  source_.forget_start(id, child.under_way->fd());
  child.failure = outcome.started.failure;
  if (child.failure) return;
  child.under_way.reset();
  count_alive(-1);
  events.emplace_back(std::move(outcome));
}

void ExitWatcher::take(ChildId id, std::vector<Event>& events) {
  const auto found = children_.find(id);
  if (found == children_.end()) return;
  Child& child = found->second;
  take_start(id, child, false, events);
  Exit exit{id, {}};
  switch (reap_with_group({child.foreground_job.get(), child.group_dies_with_it}, child.process, exit.status)) {
    case Fate::kLives:
      return;
    case Fate::kUnknown:
      source_.look_again(id);
      return;
    case Fate::kExited:
    case Fate::kGone:
      break;
  }
  take_start(id, child, true, events);
  source_.forget(id, child.process);
  if (child.keeps_alive) count_alive(-1);
  if (child.failure) {
    StartOutcome outcome{id, {}, std::move(child.under_way)};
    outcome.started.failure = child.failure;
    events.emplace_back(std::move(outcome));
    count_alive(-1);
  } else {
    events.emplace_back(exit);
  }
  children_.erase(found);
}

void ExitWatcher::count_alive(int change) {
  const bool was = alive_ > 0;
  alive_ += change;
  if (was != (alive_ > 0)) source_.keep_loop_alive(!was);
}

}  // namespace sigshield
