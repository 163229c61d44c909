// A kqueue that tells which processes have ended.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "core/failure.h"
#include "core/file_descriptor.h"

namespace sigshield::platform {

class ExitQueue {
 public:
  // 0 is nobody's.
  using Id = std::uint32_t;

  // Before all others.
  Failure open();
  [[nodiscard]] bool is_open() const { return queue_.valid(); }
  void close() { queue_.reset(); }

  // Readable when take() has something to tell.
  [[nodiscard]] int fd() const { return queue_.get(); }

  // False where the system refuses. The id is told once, when the process ends, or at once when it has ended. A moment
  // may pass until it can be reaped.
  [[nodiscard]] bool watch(pid_t process, Id id) const;

  // For one that is reaped, before a new process can be watched.
  void forget(pid_t process) const;

  // From any thread: take() returns.
  void wake() const;

  // Waits for as long, without a time for ever. May tell of fewer than there are.
  [[nodiscard]] std::vector<Id> take(std::optional<int> timeout_ms) const;

 private:
  FileDescriptor queue_;
};

}  // namespace sigshield::platform
