// One clone of a start: what the child uses of this process's memory, until it has let go of it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>

#include "core/failure.h"
#include "core/file_descriptor.h"
#include "platform/linux/child.h"
#include "platform/linux/child_stack.h"
#include "platform/linux/release.h"
#include "platform/linux/seccomp_filter.h"
#include "platform/linux/shared_table.h"
#include "platform/platform.h"

namespace sigshield::platform {

enum class Memory : std::uint8_t {
  kShared,
  kCopied,
  kDebugged,
};

Memory memory_for(const StartPlan& plan);

// A child of this process has installed a filter.
bool filters_can_be_installed();

enum class Table : std::uint8_t {
  kMayBeShared,
  kCopied,
};

class Attempt final : public StartUnderWay {
 public:
  Attempt(const StartPlan& plan, SignalSet to_enforce)
      : plan_(plan),
        to_enforce_(to_enforce),
        memory_(memory_for(plan)),
        inherited_(filters_in_force()),
        filter_(to_enforce) {}
  ~Attempt() override { SpareStacks::of_process().give_back(std::move(stack_)); }
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

  // Where it fails, is_to_be_made_again() alone may be asked.
  Failure clone(Table table, bool waits);
  // What a start does that waits.
  Started wait();
  // What may have failed for the shared table alone is to be made again with a copied one.
  [[nodiscard]] bool is_to_be_made_again() const { return again_; }

  // After the clone. Without a pidfd nobody would be told of the end, and what is to be made again has to be seen to
  // fail.
  [[nodiscard]] bool can_be_watched();
  // What is known by then.
  Started watch();
  [[nodiscard]] int fd() const override { return release_.watched_fd(); }
  bool is_over(pid_t child, bool has_ended, Started& started) override;

 private:
  [[nodiscard]] int unshare_error();
  void tell_enforced(Started& started, SignalSet in_force) const;
  void tell(Started& started);

  const StartPlan plan_;
  const SignalSet to_enforce_;
  const Memory memory_;
  const FiltersInForce& inherited_;
  const SeccompFilter filter_;
  Release release_;
  std::unique_ptr<ChildStack> stack_;
  FileDescriptor own_pidfd_;
  std::optional<SharedTable> shared_;
  std::optional<ChildPlan> child_plan_;
  pid_t pid_ = -1;
  FileDescriptor handle_;
  bool shares_table_ = false;
  bool again_ = false;
};

}  // namespace sigshield::platform
