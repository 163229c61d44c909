// Watching the children of one event loop: each is reaped exactly once, by its own identity, and delivered once. This
// is the book-keeping; how a child's end is noticed is the platform's.
#pragma once

#include <sys/types.h>
#include <uv.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <variant>
#include <vector>

#include "core/failure.h"
#include "core/terminal.h"
#include "platform/platform.h"

namespace sigshield {

struct Exit {
  platform::ChildId id;
  platform::ExitStatus status;
};

// What came of a start that was under way. Where it has failed there is no child any more.
struct StartOutcome {
  platform::ChildId id;
  platform::Started started;
  std::shared_ptr<platform::StartUnderWay> under_way;  // Of a failure, with the child's ends of its pipes; or null.
};

class ExitWatcher {
 public:
  using Deliver = std::function<void(const Exit&)>;
  using DeliverStart = std::function<void(const StartOutcome&)>;

  // Both are called on the loop's thread, for one child after another. The loop outlives the watcher.
  ExitWatcher(uv_loop_t* loop, DeliverStart deliver_start, Deliver deliver);
  ExitWatcher(const ExitWatcher&) = delete;
  ExitWatcher& operator=(const ExitWatcher&) = delete;

  // Before add(). What failed can be tried again.
  Failure open() { return source_.open(); }

  // Takes a child, whose exit keeps the loop alive. Returns its id for the calls below. Can't fail.
  // A `foreground_job` holds the terminal while the child lives and is not stopped. A start that is `under_way` keeps
  // the loop alive too, and what came of it is delivered before the exit, or in place of it.
  platform::ChildId add(platform::ProcessReference process, std::optional<ForegroundJob> foreground_job,
                        std::unique_ptr<platform::StartUnderWay> under_way);

  // ESRCH when the child is reaped.
  Failure kill(platform::ChildId id, int signal) const;

  // The same for the process group that the child leads.
  Failure kill_group(platform::ChildId id, int signal) const;

  // When the child has exited, the rest of the process group that it leads is killed before it is reaped.
  void kill_group_at_exit(platform::ChildId id);

  // The signal that has stopped the child, 0 while it is not stopped.
  [[nodiscard]] int stop_signal(platform::ChildId id) const;

  // Whether this child keeps the loop alive. Nothing happens when it is reaped already.
  void keep_alive(platform::ChildId id, bool on);

  // After open(), whatever came of it. Stops watching. Children that still live are reaped by a thread of the process
  // when they exit, which also kills the rest of a group and takes back the terminal where that is due. `closed` is
  // called on the loop's thread when the loop has let go of the watcher, which may then be destroyed.
  void close(std::function<void()> closed);

 private:
  struct Child {
    platform::ProcessReference process;
    std::shared_ptr<const ForegroundJob> foreground_job;  // Or null.
    std::shared_ptr<platform::StartUnderWay> under_way;   // Or null.
    Failure failure;                                      // Of a start that was under way.
    bool group_dies_with_it = false;
    bool keeps_alive = true;
  };
  using Event = std::variant<StartOutcome, Exit>;

  void look_at(std::span<const platform::ChildId> ids);
  void take(platform::ChildId id, std::vector<Event>& events);
  void take_start(platform::ChildId id, Child& child, bool has_ended, std::vector<Event>& events);
  void count_alive(int change);

  DeliverStart deliver_start_;
  Deliver deliver_;
  platform::ExitSource source_;
  std::unordered_map<platform::ChildId, Child> children_;
  platform::ChildId last_id_ = 0;
  int alive_ = 0;
};

}  // namespace sigshield
