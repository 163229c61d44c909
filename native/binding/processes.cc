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
  // In a thread that is being terminated.
  if (numbers.IsEmpty()) return {};
  double* next = numbers.Data();
  for (const platform::ProcessEntry& entry : table) next = write_numbers(next, entry);
  return Napi::Value{info.Env(), numbers};
}

Napi::Array array_of(Napi::Env env, const std::vector<std::string>& texts) {
  auto array = Napi::Array::New(env);
  for (const std::string& text : texts) array.Set(array.Length(), text);
  return array;
}

// (pid)
Napi::Value process_name_and_arguments(const Napi::CallbackInfo& info) {
  return array_of(info.Env(), platform::process_name_and_arguments(info[0].As<Napi::Number>()));
}

// (pid)
Napi::Value process_environment(const Napi::CallbackInfo& info) {
  const auto environment = platform::process_environment(info[0].As<Napi::Number>());
  return environment ? array_of(info.Env(), *environment) : info.Env().Undefined();
}

}  // namespace

void register_processes(Napi::Env env, Napi::Object exports) {
  if (!platform::lists_processes()) return;
  export_function<process_table>(env, exports, "processTable");
  export_function<process_name_and_arguments>(env, exports, "processNameAndArguments");
  export_function<process_environment>(env, exports, "processEnvironment");
}

}  // namespace sigshield
