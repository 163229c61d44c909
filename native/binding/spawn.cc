// Starting a child: its request is a text and the numbers of core/wire.h.
#include <napi.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "binding/environment_state.h"
#include "binding/topics.h"
#include "core/child_environment.h"
#include "core/environment_lock.h"
#include "core/start.h"
#include "core/terminal.h"
#include "core/wire.h"
#include "platform/platform.h"

namespace sigshield {

namespace {

// Takes strings off a text in which every one ends with a NUL.
class Strings {
 public:
  explicit Strings(std::string_view text) : rest_(text) {}

  std::string one() {
    const std::string_view block = several(1);
    return std::string{block.substr(0, block.size() - 1)};
  }

  // As a block for StringList.
  std::string_view several(int count) {
    std::size_t end = 0;
    for (; count > 0; --count) end = std::min(rest_.find('\0', end), rest_.size() - 1) + 1;
    const std::string_view block = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return block;
  }

  [[nodiscard]] bool all_taken() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

StartResult start_watched(EnvironmentState& state, StartRequest& request) {
  StartResult result;
  result.failure = state.open_exit_watcher();
  return result.failure ? std::move(result) : start(request);
}

// (text, ArrayBuffer of Wire): the id of the child, or the negative errno of the step that failed. The text is the
// file, the directory, the arguments, the environment unless it is our own, and the changes to it.
Napi::Value spawn(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  EnvironmentState& state = state_of(info);
  void* memory = nullptr;
  if (napi_get_arraybuffer_info(env, info[1], &memory, nullptr) != napi_ok) return {};
  Wire& wire = *static_cast<Wire*>(memory);
  const std::string_view text = state.text_of(info[0]);
  Strings strings{text};
  std::string file = strings.one();
  std::string directory = strings.one();
  const std::string_view arguments = strings.several(wire.argument_count);
  std::optional<std::string_view> base;
  if (wire.environment_count >= 0) base = strings.several(wire.environment_count);
  const std::string_view changes = strings.several(wire.change_count);
  if (!strings.all_taken()) {
    // One of the strings has a NUL of its own.
    wire.step = static_cast<std::int32_t>(Step::kExecve);
    wire.enforced = 0;
    wire.in_force_low = wire.in_force_high = 0;
    return Napi::Number::New(env, -EINVAL);
  }

  const std::span<std::int32_t> descriptors{wire.descriptors, static_cast<std::size_t>(wire.descriptor_count)};
  std::optional<std::vector<gid_t>> groups;
  const std::int32_t* const first_group = wire.descriptors + wire.descriptor_count;
  if (wire.group_count >= 0) groups.emplace(first_group, first_group + wire.group_count);
  StartRequest request{
      .file = std::move(file),
      .arguments = StringList{std::string{arguments}},
      .environment = StringList{child_environment(base, changes)},
      .directory = std::move(directory),
      .descriptors = {descriptors.begin(), descriptors.end()},
      .groups = std::move(groups),
      .options = wire.options,
  };
  const bool foreground = request.options.foreground != 0;
  const std::optional<termios> mode_before = foreground ? terminal_mode() : std::nullopt;
  StartResult result = start_watched(state, request);

  wire.step = static_cast<std::int32_t>(result.failure.step);
  wire.pid = result.process.pid;
  wire.enforced = result.enforced ? 1 : 0;
  wire.in_force_low = static_cast<std::uint32_t>(result.in_force);
  wire.in_force_high = static_cast<std::uint32_t>(result.in_force >> 32);
  auto pipe = result.pipes.begin();
  for (std::int32_t& descriptor : descriptors) {
    if (descriptor == kNewPipe && pipe != result.pipes.end()) descriptor = (pipe++)->release();
  }
  if (result.failure) return Napi::Number::New(env, -result.failure.error);
  std::optional<ForegroundJob> job;
  if (foreground) job = {group_of(request.options, result.process.pid), mode_before};
  return Napi::Number::New(env, state.exit_watcher()->add(std::move(result.process), job));
}

Napi::Value name_of_step(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), step_name(static_cast<Step>(info[0].As<Napi::Number>().Int32Value())));
}

// "name:width …", for lib/native/wire.ts to compare with its own.
std::string layout() {
  std::string text;
  for (const WireField& field : kWireFields) {
    if (!text.empty()) text.push_back(' ');
    text.append(field.name).append(":").append(std::to_string(field.width));
  }
  return text;
}

}  // namespace

void register_spawn(Napi::Env env, Napi::Object exports) {
  exports.Set("layout", layout());
  exports.Set("hasSignalFilter", platform::has_signal_filter());
  exports.Set("canReadEnvironment", EnvironmentLock::exists());
  exports.Set("hasParentDeathSignal", platform::has_parent_death_signal());
  export_function<spawn>(env, exports, "spawn");
  export_function<name_of_step>(env, exports, "stepName");
}

}  // namespace sigshield
