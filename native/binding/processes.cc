// All processes of the system, where no /proc lists them.
#include <napi.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "binding/topics.h"
#include "platform/process_table.h"

namespace sigshield {

namespace {

// Six numbers for each: its pid, its parent's, 1 if it has ended, when it was started, its process group and session.
Napi::Value process_table(const Napi::CallbackInfo& info) {
  const std::vector<platform::ProcessEntry> table = platform::process_table();
  auto numbers = Napi::Float64Array::New(info.Env(), table.size() * 6);
  double* next = numbers.Data();
  for (const platform::ProcessEntry& entry : table) {
    *next++ = entry.pid;
    *next++ = entry.parent;
    *next++ = entry.has_ended ? 1 : 0;
    *next++ = static_cast<double>(entry.started_at);
    *next++ = getpgid(entry.pid);
    *next++ = getsid(entry.pid);
  }
  return numbers;
}

// (pid, entry)
Napi::Value has_environment_entry(const Napi::CallbackInfo& info) {
  const std::string entry = info[1].As<Napi::String>();
  return Napi::Boolean::New(info.Env(), platform::has_environment_entry(info[0].As<Napi::Number>(), entry));
}

}  // namespace

void register_processes(Napi::Env env, Napi::Object exports) {
  if (!platform::lists_processes()) return;
  export_function<process_table>(env, exports, "processTable");
  export_function<has_environment_entry>(env, exports, "hasEnvironmentEntry");
}

}  // namespace sigshield
