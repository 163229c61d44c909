// This process's ends of the pipes of a child that one thread sees through. Nothing here blocks, and no descriptor is
// made non-blocking: each call says so for itself.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "core/file_descriptor.h"

namespace sigshield {

// To a child. What is to be written outlives it. Kept open when all is written, as a program may write to its own
// input.
class InputPipe {
 public:
  InputPipe() = default;
  InputPipe(FileDescriptor fd, std::span<const char> input) : fd_(std::move(fd)), rest_(input), is_done_(false) {}

  // What to wait for; -1: nothing.
  [[nodiscard]] int fd() const { return is_done_ ? -1 : fd_.get(); }
  [[nodiscard]] bool is_done() const { return is_done_; }
  // Writes what there is room for, and then the end. Returns 0 or an errno, after which it is done too.
  int write_some();
  void close();

 private:
  FileDescriptor fd_;
  std::span<const char> rest_;
  bool is_done_ = true;
};

// From a child: all that it writes is kept.
class OutputPipe {
 public:
  explicit OutputPipe(FileDescriptor fd) : fd_(std::move(fd)) {}

  // What to wait for; -1: it has ended.
  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] std::size_t size() const { return size_; }
  // Reads once. Returns 0 or an errno, after which it has ended.
  int read_some();
  void close() { fd_.reset(); }
  // All of it. There is none left then.
  void move_to(char* target);

 private:
  // What Node reads at once: of an output that is too long, as much is kept.
  using Chunk = std::array<char, std::size_t{64} * 1024>;

  FileDescriptor fd_;
  // All are full but the last.
  std::vector<std::unique_ptr<Chunk>> chunks_;
  std::size_t size_ = 0;
};

}  // namespace sigshield
