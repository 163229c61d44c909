// The parent's ends of a child's new pipes, on their way to JavaScript.
#pragma once

#include <napi.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "core/file_descriptor.h"
#include "core/wire.h"

namespace sigshield {

// A thread may be terminated between the start and the call that gives an end to a stream. What is not taken by then is
// closed with the environment: an end that stays open keeps the child from ever seeing that its input is over.
class HandedOver {
 public:
  HandedOver() = default;
  HandedOver(const HandedOver&) = delete;
  HandedOver& operator=(const HandedOver&) = delete;
  ~HandedOver();

  // `memory` holds `wire`. What was handed over before has been taken.
  void give(const Napi::ArrayBuffer& memory, Wire& wire, std::vector<FileDescriptor> pipes);

 private:
  // Keeps the wire from being collected.
  Napi::Reference<Napi::ArrayBuffer> memory_;
  Wire* wire_ = nullptr;
  std::vector<std::pair<const std::int32_t*, int>> entries_;
};

}  // namespace sigshield
