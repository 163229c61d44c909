#include "platform/posix/file_actions.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "platform/posix/system.h"

namespace sigshield::platform {

namespace {

Failure added(int error) { return error == 0 ? Failure{} : Failure{Step::kPosixSpawn, error}; }

}  // namespace

Failure FileActions::give(int source, int target) {
  numbers_.push_back(target);
  if (source == target) return added(add_inherited(actions_, target));
  // Among the targets another could be there by the time it is asked for.
  if (source <= last_) {
    moved_.emplace_back(fcntl(source, F_DUPFD_CLOEXEC, last_ + 1));
    if (!moved_.back().valid()) return {Step::kFcntl, errno};
    source = moved_.back().get();
  }
  return added(posix_spawn_file_actions_adddup2(&actions_, source, target));
}

Failure FileActions::open_null(int target) {
  numbers_.push_back(target);
  const int access = target == 0 ? O_RDONLY : O_RDWR;
  return added(posix_spawn_file_actions_addopen(&actions_, target, "/dev/null", access, 0));
}

Failure FileActions::close_others() {
  std::sort(numbers_.begin(), numbers_.end());
  return added(add_closing_of_others(actions_, numbers_));
}

}  // namespace sigshield::platform
