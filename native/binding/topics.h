// The topics of the addon: each file beside this one adds its functions to the exports. lib/native/addon.ts types them.
#pragma once

#include <napi.h>

namespace sigshield {

void register_spawn(Napi::Env env, Napi::Object exports);
void register_spawn_sync(Napi::Env env, Napi::Object exports);
void register_processes(Napi::Env env, Napi::Object exports);
void register_exits(Napi::Env env, Napi::Object exports);
void register_ending(Napi::Env env, Napi::Object exports);
void register_exit_event(Napi::Env env, Napi::Object exports);
void register_guard(Napi::Env env, Napi::Object exports);
void register_standing(Napi::Env env, Napi::Object exports);
void register_streams(Napi::Env env, Napi::Object exports);
void register_signals(Napi::Env env, Napi::Object exports);

template <auto function>
void export_function(Napi::Env env, Napi::Object exports, const char* name) {
  exports.Set(name, Napi::Function::New<function>(env, name));
}

}  // namespace sigshield
