#include "core/child_environment.h"

#include <algorithm>
#include <vector>

#include "core/environment_lock.h"
#include "core/string_list.h"
#include "platform/symbols.h"

namespace sigshield {

namespace {

std::string_view name_of(std::string_view entry) { return entry.substr(0, entry.find('=')); }

}  // namespace

std::string child_environment(std::optional<std::string_view> base, std::string_view changes) {
  std::vector<std::string_view> changed;
  for_each_string(changes, [&](std::string_view change) { changed.push_back(name_of(change)); });

  std::string block;
  const auto append_unchanged = [&](std::string_view entry) {
    if (std::find(changed.begin(), changed.end(), name_of(entry)) == changed.end()) append_string(block, entry);
  };
  // As large as an environment mostly is: growing copies.
  block.reserve(std::max<std::size_t>(4096, base.value_or("").size() + changes.size()));
  if (base) {
    for_each_string(*base, append_unchanged);
  } else {
    const EnvironmentLock lock;
    for (char** entry = platform::own_environment(); entry != nullptr && *entry != nullptr; ++entry) {
      append_unchanged(*entry);
    }
  }
  for_each_string(changes, [&](std::string_view change) {
    if (change.find('=') != std::string_view::npos) append_string(block, change);
  });
  return block;
}

}  // namespace sigshield
