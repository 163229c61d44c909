// Handles of JavaScript's that own what they name.
#pragma once

#include <napi.h>

#include <memory>

namespace sigshield {

// Destroyed with its handle: when that is collected, or its environment ends. Where there can be none, as in a thread
// that is being terminated, it is destroyed at once and the handle is empty.
template <typename Owned>
Napi::Value owning_handle(Napi::Env env, std::unique_ptr<Owned> owned) {
  auto handle = Napi::External<Owned>::New(env, owned.get(), [](Napi::Env, Owned* it) { delete it; });
  if (!handle.IsEmpty()) static_cast<void>(owned.release());
  return handle;
}

}  // namespace sigshield
