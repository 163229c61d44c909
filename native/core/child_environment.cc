#include "core/child_environment.h"

#include <algorithm>
#include <bitset>
#include <cstddef>
#include <functional>
#include <vector>

#include "core/environment_lock.h"
#include "core/string_list.h"
#include "platform/symbols.h"

namespace sigshield {

namespace {

std::string_view name_of(std::string_view entry) { return entry.substr(0, entry.find('=')); }

// The names that have come: of two entries the first is the variable, as for getenv(3) and process.env.
class Names {
 public:
  // False where it has come before.
  bool add(std::string_view name) {
    auto&& may_have_come = hashes_[std::hash<std::string_view>{}(name) % kHashes];
    if (may_have_come && std::find(names_.begin(), names_.end(), name) != names_.end()) return false;
    may_have_come = true;
    names_.push_back(name);
    return true;
  }

 private:
  static constexpr std::size_t kHashes = 4096;
  std::bitset<kHashes> hashes_;
  std::vector<std::string_view> names_;
};

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
    Names names;
    const EnvironmentLock lock;
    for (char** entry = platform::own_environment(); entry != nullptr && *entry != nullptr; ++entry) {
      const std::string_view text = *entry;
      // What has no name is no variable, to Node neither.
      const std::size_t end = text.find('=');
      if (end == 0 || end == std::string_view::npos || !names.add(text.substr(0, end))) continue;
      append_unchanged(text);
    }
  }
  for_each_string(changes, [&](std::string_view change) {
    if (change.find('=') != std::string_view::npos) append_string(block, change);
  });
  return block;
}

}  // namespace sigshield
