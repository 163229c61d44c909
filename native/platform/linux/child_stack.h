// Stacks for the child half, each with a guard below it.
#pragma once

#include <sys/mman.h>

#include <cerrno>
#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "core/failure.h"

namespace sigshield::platform {

class ChildStack {
 public:
  ChildStack() = default;
  ~ChildStack() { unmap(); }
  ChildStack(const ChildStack&) = delete;
  ChildStack& operator=(const ChildStack&) = delete;

  // Once.
  Failure map() {
    void* const memory =
        mmap(nullptr, kGuardSize + kStackSize, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (memory == MAP_FAILED) return {Step::kMmap, errno};
    base_ = static_cast<char*>(memory);
    if (mprotect(base_ + kGuardSize, kStackSize, PROT_READ | PROT_WRITE) == 0) return {};
    const Failure failure{Step::kMprotect, errno};
    unmap();
    return failure;
  }

  [[nodiscard]] void* top() const { return base_ + kGuardSize + kStackSize; }

 private:
  // The child half calls nothing deep, and the kernel puts no signal frame here as all signals are blocked.
  static constexpr std::size_t kStackSize = 64 * 1024;
  static constexpr std::size_t kGuardSize = 64 * 1024;  // The largest page size of the supported architectures.

  void unmap() {
    if (base_ != nullptr) munmap(base_, kGuardSize + kStackSize);
    base_ = nullptr;
  }

  char* base_ = nullptr;
};

// Those that no child uses: as many as starts are mostly under way at once.
class SpareStacks {
 public:
  static SpareStacks& of_process() {
    // Never destroyed: threads may start children while the process exits.
    // NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables)
    static auto* const stacks = new SpareStacks;
    return *stacks;
  }

  Failure take(std::unique_ptr<ChildStack>& stack) {
    {
      const std::lock_guard lock{mutex_};
      if (!stacks_.empty()) {
        stack = std::move(stacks_.back());
        stacks_.pop_back();
        return {};
      }
    }
    auto made = std::make_unique<ChildStack>();
    const Failure failure = made->map();
    if (!failure) stack = std::move(made);
    return failure;
  }

  void give_back(std::unique_ptr<ChildStack> stack) {
    const std::lock_guard lock{mutex_};
    if (stack && stacks_.size() < kMostKept) stacks_.push_back(std::move(stack));
  }

 private:
  static constexpr std::size_t kMostKept = 8;

  std::mutex mutex_;
  std::vector<std::unique_ptr<ChildStack>> stacks_;
};

}  // namespace sigshield::platform
