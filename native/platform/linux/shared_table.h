// Starts that copy no descriptors but the few that the child needs, however many this process has open: the child has
// its parent's table until it takes a copy of the low numbers only (CLOSE_RANGE_UNSHARE of close_range(2), Linux 5.9).
#pragma once

#include <array>
#include <cstddef>

#include "core/file_descriptor.h"
#include "platform/platform.h"

namespace sigshield::platform {

// Once in a process, at its first start, while low numbers are free.
void keep_low_numbers();

// For one start, until its child has let go of its parent's memory, or has a table of its own. Then no copy of what the
// child is given is left.
class SharedTable {
 public:
  SharedTable() = default;
  ~SharedTable();
  SharedTable(const SharedTable&) = delete;
  SharedTable& operator=(const SharedTable&) = delete;

  // Whether this process has so many, and may still share them.
  static bool is_worth_it();

  // Before the clone. False: there is nothing to gain, or it can't be. True: the child's sources in the plan, and
  // `ours`, which are no program's (-1: none), have low numbers now.
  bool open(const StartPlan& plan, std::array<int*, 3> ours);

  // No number from here on is a source of the child's.
  [[nodiscard]] int first_other() const { return first_other_; }
  // Above it, open in this process, and so in no table that was copied for the child.
  [[nodiscard]] int canary() const { return canary_.get(); }

  // With which error clone, or the child's call, was refused. What is for good is not tried again in this process.
  static void refused(int error);

 private:
  struct Loan {
    int number;
    int source;
    int* place;
  };

  bool place_all(const StartPlan& plan, std::array<int*, 3> ours);
  bool lend(int& source);

  bool owns_numbers_ = false;
  int first_other_ = 0;
  FileDescriptor canary_;
  std::array<Loan, 7> loans_{};
  std::size_t loan_count_ = 0;
};

}  // namespace sigshield::platform
