#include "core/exit_watcher.h"

#include <pthread.h>

#include <cerrno>
#include <csignal>
#include <memory>
#include <utility>

#include "core/signal_set.h"
#include "core/terminal.h"

namespace sigshield {

namespace {

using platform::ChildId;
using platform::ProcessReference;

void start_reaper(std::vector<ProcessReference> processes) {
  auto list = std::make_unique<std::vector<ProcessReference>>(std::move(processes));
  const platform::SignalsBlocked blocked{kProgramSignals};
  uv_thread_t thread;
  const int error = uv_thread_create(
      &thread,
      [](void* argument) {
        const std::unique_ptr<std::vector<ProcessReference>> owned{
            static_cast<std::vector<ProcessReference>*>(argument)};
        platform::reap_all(std::move(*owned));
      },
      list.get());
  // Without a thread they are left to the end of the process.
  if (error != 0) return;
  // The thread owns the list now.
  static_cast<void>(list.release());
  pthread_detach(thread);
}

Failure signal_group(pid_t leader, int signal) {
  return ::kill(-leader, signal) == 0 ? Failure{} : Failure{Step::kKill, errno};
}

}  // namespace

ExitWatcher::ExitWatcher(uv_loop_t* loop, Deliver deliver)
    : deliver_(std::move(deliver)), source_(loop, [this](std::span<const ChildId> ids) { look_at(ids); }) {}

ChildId ExitWatcher::add(ProcessReference process, std::optional<ForegroundJob> foreground_job) {
  do ++last_id_;
  while (children_.contains(last_id_));
  const ChildId id = last_id_;
  source_.watch(id, process, foreground_job.has_value());
  auto job = foreground_job ? std::make_unique<ForegroundJob>(*foreground_job) : nullptr;
  children_.emplace(id, Child{std::move(process), std::move(job)});
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
  return signal_group(found->second.process.pid, signal);
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
  std::vector<ProcessReference> orphans;
  for (auto& [id, child] : children_) orphans.push_back(std::move(child.process));
  children_.clear();
  if (!orphans.empty()) start_reaper(std::move(orphans));
  source_.close(std::move(closed));
}

// Children are taken out before any is delivered, as a delivery may start, kill or forget others.
void ExitWatcher::look_at(std::span<const ChildId> ids) {
  std::vector<Exit> exits;
  for (const ChildId id : ids) take(id, exits);
  for (const Exit& exit : exits) deliver_(exit);
}

void ExitWatcher::take(ChildId id, std::vector<Exit>& exits) {
  const auto found = children_.find(id);
  if (found == children_.end()) return;
  const Child& child = found->second;
  if (child.group_dies_with_it && platform::has_exited(child.process)) {
    static_cast<void>(signal_group(child.process.pid, SIGKILL));
  }
  Exit exit{id, {}};
  if (!platform::reap(child.process, exit.status)) {
    if (child.foreground_job && platform::has_stopped(child.process)) {
      take_back_terminal(*child.foreground_job, TerminalMode::kOurs);
    }
    return;
  }
  if (child.foreground_job) {
    // A program that ends by itself leaves the terminal as it wants it: stty is one.
    const bool left_by_itself = exit.status.known && exit.status.signal == 0;
    take_back_terminal(*child.foreground_job, left_by_itself ? TerminalMode::kTheirs : TerminalMode::kOurs);
  }
  source_.forget(id, child.process);
  if (child.keeps_alive) count_alive(-1);
  children_.erase(found);
  exits.push_back(exit);
}

void ExitWatcher::count_alive(int change) {
  const bool was = alive_ > 0;
  alive_ += change;
  if (was != (alive_ > 0)) source_.keep_loop_alive(!was);
}

}  // namespace sigshield
