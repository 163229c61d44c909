#include "binding/handed_over.h"

#include "binding/start_request.h"

namespace sigshield {

HandedOver::~HandedOver() {
  if (wire_ == nullptr || wire_->hands_over == 0) return;
  for (const auto& [entry, fd] : entries_) {
    if (*entry == fd) FileDescriptor{fd}.reset();
  }
}

void HandedOver::give(const Napi::ArrayBuffer& memory, Wire& wire, std::vector<FileDescriptor> pipes) {
  entries_.clear();
  if (pipes.empty()) return;
  if (wire_ != &wire) memory_ = Napi::Persistent(memory);
  wire_ = &wire;
  auto pipe = pipes.begin();
  for (std::int32_t& entry : descriptors_of(wire)) {
    if (entry != kNewPipe || pipe == pipes.end()) continue;
    entry = (pipe++)->release();
    entries_.emplace_back(&entry, entry);
  }
  wire.hands_over = 1;
}

}  // namespace sigshield
