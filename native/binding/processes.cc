// All processes of the system, where no /proc lists them.
#include <napi.h>
#include <unistd.h>

#include <cstddef>
#include <string>
#include <vector>

#include "binding/topics.h"
#include "platform/process_table.h"

namespace sigshield {

namespace {

constexpr std::size_t kNumbers = 9;

double* write_numbers(double* next, const platform::ProcessEntry& entry) {
  *next++ = entry.pid;
  *next++ = entry.parent;
  *next++ = entry.state;
  *next++ = static_cast<double>(entry.started_at);
  *next++ = getpgid(entry.pid);
  *next++ = getsid(entry.pid);
  *next++ = entry.uid;
  *next++ = static_cast<double>(entry.ignored);
  *next++ = static_cast<double>(entry.caught);
  return next;
}

// () or (pid). For each process its pid, its parent's, its state as a character, when it was started, its process group
// and session, its user, and the sets of signals that it ignores and catches.
Napi::Value process_table(const Napi::CallbackInfo& info) {
  std::vector<platform::ProcessEntry> table;
  if (info.Length() == 0) {
    table = platform::process_table();
  } else if (const auto entry = platform::process_entry(info[0].As<Napi::Number>()); entry.pid != 0) {
    table.push_back(entry);
  }
  auto numbers = Napi::Float64Array::New(info.Env(), table.size() * kNumbers);
  double* next = numbers.Data();
  for (const platform::ProcessEntry& entry : table) next = write_numbers(next, entry);
  return Napi::Value{info.Env(), numbers};
}

// (pid)
Napi::Value process_name_and_arguments(const Napi::CallbackInfo& info) {
  auto texts = Napi::Array::New(info.Env());
  for (const std::string& text : platform::process_name_and_arguments(info[0].As<Napi::Number>())) {
    texts.Set(texts.Length(), text);
  }
  return texts;
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
  export_function<process_name_and_arguments>(env, exports, "processNameAndArguments");
  export_function<has_environment_entry>(env, exports, "hasEnvironmentEntry");
}

}  // namespace sigshield
