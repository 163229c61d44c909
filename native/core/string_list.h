// A NULL-terminated array of C strings in memory it owns, as execve takes it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sigshield {

class StringList {
 public:
  StringList() = default;
  // Every string in `block` ends with a NUL byte.
  explicit StringList(std::string block);
  StringList(StringList&&) = default;
  StringList& operator=(StringList&&) = delete;
  StringList(const StringList&) = delete;
  StringList& operator=(const StringList&) = delete;
  ~StringList() = default;

  [[nodiscard]] std::size_t size() const { return pointers_.size() - 1; }
  [[nodiscard]] char* operator[](std::size_t index) const { return pointers_[index]; }
  [[nodiscard]] char* const* data() const { return pointers_.data(); }

 private:
  // Where it is, as the pointers lead into it.
  std::unique_ptr<std::string> block_;
  std::vector<char*> pointers_{nullptr};
};

// Calls `visit` with every string of a block, without its terminator.
template <typename Visit>
void for_each_string(std::string_view block, Visit visit) {
  while (!block.empty()) {
    const std::string_view text = block.substr(0, block.find('\0'));
    visit(text);
    block.remove_prefix(std::min(text.size() + 1, block.size()));
  }
}

// Appends `text` and its terminator to a block for StringList.
void append_string(std::string& block, std::string_view text);

}  // namespace sigshield
