#include "core/sync_pipes.h"

#include <sys/socket.h>
#include <sys/types.h>

#include <algorithm>
#include <cerrno>
#include <memory>

namespace sigshield {

namespace {

#ifdef MSG_NOSIGNAL
constexpr int kNoSignal = MSG_NOSIGNAL;
#else
// Node ignores SIGPIPE.
constexpr int kNoSignal = 0;
#endif

bool is_for_later(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR || error == ENOBUFS; }

}  // namespace

int InputPipe::write_some() {
  while (!rest_.empty()) {
    const ssize_t written = send(fd_.get(), rest_.data(), rest_.size(), MSG_DONTWAIT | kNoSignal);
    if (written < 0 && is_for_later(errno)) return 0;
    if (written < 0) {
      is_done_ = true;
      return errno;
    }
    rest_ = rest_.subspan(static_cast<std::size_t>(written));
  }
  is_done_ = true;
  // ENOTCONN: the child has closed it already, and needs no end.
  return shutdown(fd_.get(), SHUT_WR) == 0 || errno == ENOTCONN ? 0 : errno;
}

void InputPipe::close() {
  is_done_ = true;
  fd_.reset();
}

int OutputPipe::read_some() {
  const std::size_t used = size_ % sizeof(Chunk);
  if (size_ == chunks_.size() * sizeof(Chunk)) chunks_.push_back(std::make_unique_for_overwrite<Chunk>());
  const ssize_t length = recv(fd_.get(), chunks_.back()->data() + used, sizeof(Chunk) - used, MSG_DONTWAIT);
  if (length > 0) size_ += static_cast<std::size_t>(length);
  if (length > 0 || (length < 0 && is_for_later(errno))) return 0;
  const int error = length < 0 ? errno : 0;
  fd_.reset();
  return error;
}

void OutputPipe::move_to(char* target) {
  while (!chunks_.empty()) {
    const std::size_t start = (chunks_.size() - 1) * sizeof(Chunk);
    // Nothing may have come, and there may be no target then.
    std::copy_n(chunks_.back()->data(), size_ - start, target + start);
    size_ = start;
    chunks_.pop_back();
  }
}

}  // namespace sigshield
