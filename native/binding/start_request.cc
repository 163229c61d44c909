#include "binding/start_request.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "binding/environment_state.h"
#include "core/child_environment.h"

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

}  // namespace

Wire* wire_of(const Napi::CallbackInfo& info) {
  void* memory = nullptr;
  if (napi_get_arraybuffer_info(info.Env(), info[1], &memory, nullptr) != napi_ok) return nullptr;
  return static_cast<Wire*>(memory);
}

StartRequest request_of(const Napi::CallbackInfo& info, const Wire& wire, bool& is_whole) {
  const std::string_view text = state_of(info).text_of(info[0]);
  Strings strings{text};
  std::string file = strings.one();
  std::string directory = strings.one();
  const std::string_view arguments = strings.several(wire.argument_count);
  std::optional<std::string_view> base;
  if (wire.environment_count >= 0) base = strings.several(wire.environment_count);
  const std::string_view changes = strings.several(wire.change_count);
  is_whole = strings.all_taken();

  const std::int32_t* const first_group = wire.descriptors + wire.descriptor_count;
  std::optional<std::vector<gid_t>> groups;
  if (wire.group_count >= 0) groups.emplace(first_group, first_group + wire.group_count);
  return StartRequest{
      .file = std::move(file),
      .arguments = StringList{std::string{arguments}},
      .environment = StringList{child_environment(base, changes)},
      .directory = std::move(directory),
      .descriptors = {wire.descriptors, first_group},
      .groups = std::move(groups),
      .options = wire.options,
  };
}

StartResult start_requested(const Napi::CallbackInfo& info, const Wire& wire, int terminal) {
  bool is_whole = false;
  StartRequest request = request_of(info, wire, is_whole);
  if (!is_whole) {
    StartResult refused;
    refused.failure = kWrongText;
    return refused;
  }
  request.terminal = terminal;
  return start(std::move(request));
}

void answer(Wire& wire, const StartResult& result) {
  wire.step = static_cast<std::int32_t>(result.failure.step);
  wire.pid = result.process.pid;
  wire.under_way = result.under_way ? 1 : 0;
  wire.enforced = result.enforced ? 1 : 0;
  wire.in_force_low = static_cast<std::uint32_t>(result.in_force);
  wire.in_force_high = static_cast<std::uint32_t>(result.in_force >> 32);
  wire.kept_ignored_low = static_cast<std::uint32_t>(result.kept_ignored);
  wire.kept_ignored_high = static_cast<std::uint32_t>(result.kept_ignored >> 32);
}

}  // namespace sigshield
