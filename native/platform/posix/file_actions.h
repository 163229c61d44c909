// What a child's descriptors are made of: each source at its number, and nothing else.
#pragma once

#include <spawn.h>

#include <vector>

#include "core/failure.h"
#include "core/file_descriptor.h"

namespace sigshield::platform {

class FileActions {
 public:
  // `last` is the greatest number that the child gets.
  explicit FileActions(int last) : last_(last) { posix_spawn_file_actions_init(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  ~FileActions() { posix_spawn_file_actions_destroy(&actions_); }

  Failure give(int source, int target);
  Failure open_null(int target);

  // The last one.
  Failure close_others();

  [[nodiscard]] const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  const int last_;
  posix_spawn_file_actions_t actions_{};
  std::vector<int> numbers_;
  std::vector<FileDescriptor> moved_;
};

}  // namespace sigshield::platform
