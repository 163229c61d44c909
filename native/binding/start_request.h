// A start as it crosses: a text and the numbers of core/wire.h.
#pragma once

#include <napi.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/failure.h"
#include "core/start.h"
#include "core/wire.h"

namespace sigshield {

// The second argument, which holds the answer too. Null in a thread that is being terminated.
Wire* wire_of(const Napi::CallbackInfo& info);

// What the text, which is the first argument, and the numbers ask for. The text is the file, the directory, the
// arguments, the environment unless it is our own, and the changes to it. `is_whole` is false where one of the strings
// has a NUL of its own: then the failure is kWrongText.
StartRequest request_of(const Napi::CallbackInfo& info, const Wire& wire, bool& is_whole);
constexpr Failure kWrongText{Step::kExecve, EINVAL};

// Starts it. `terminal` is as in platform::StartPlan.
StartResult start_requested(const Napi::CallbackInfo& info, const Wire& wire, int terminal = -1);

inline std::span<std::int32_t> descriptors_of(Wire& wire) {
  return {wire.descriptors, static_cast<std::size_t>(wire.descriptor_count)};
}

// All but the descriptors.
void answer(Wire& wire, const StartResult& result);

}  // namespace sigshield
