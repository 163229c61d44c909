#include "environment.h"

#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "string_list.h"

namespace sigshield {

namespace {

std::string_view name_of(std::string_view entry) { return entry.substr(0, entry.find('=')); }

}  // namespace

std::string own_environment() {
  std::string block;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) append_string(block, *entry);
  return block;
}

std::string changed_environment(const std::string& base, const std::string& changes) {
  const StringList variables{base};
  const StringList list{changes};
  std::vector<std::string_view> changed;
  for (std::size_t i = 0; i < list.size(); ++i) changed.push_back(name_of(list[i]));

  std::string block;
  block.reserve(base.size() + changes.size());
  for (std::size_t i = 0; i < variables.size(); ++i) {
    const std::string_view name = name_of(variables[i]);
    if (std::find(changed.begin(), changed.end(), name) == changed.end()) append_string(block, variables[i]);
  }
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string_view text{list[i]};
    if (text.size() > changed[i].size()) append_string(block, text);
  }
  return block;
}

}  // namespace sigshield
