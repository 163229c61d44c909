#include "core/string_list.h"

#include <cstring>

namespace sigshield {

StringList::StringList(std::string block) : block_(std::make_unique<std::string>(std::move(block))) {
  pointers_.clear();
  char* const end = block_->data() + block_->size();
  for (char* text = block_->data(); text < end; text += std::strlen(text) + 1) pointers_.push_back(text);
  pointers_.push_back(nullptr);
}

void append_string(std::string& block, std::string_view text) {
  block.append(text);
  block.push_back('\0');
}

}  // namespace sigshield
