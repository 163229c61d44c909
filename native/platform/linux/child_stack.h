// A stack for the child half, with a guard below it.
#pragma once

#include <sys/mman.h>

#include <cerrno>
#include <cstddef>

#include "core/failure.h"

namespace sigshield::platform {

class ChildStack {
 public:
  ChildStack() = default;
  ~ChildStack() { unmap(); }
  ChildStack(const ChildStack&) = delete;
  ChildStack& operator=(const ChildStack&) = delete;

  // Once is enough.
  Failure map() {
    if (base_ != nullptr) return {};
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

}  // namespace sigshield::platform
