#include "core/exit_event.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cmath>

#include "core/signal_set.h"

namespace sigshield {

namespace {

// A request leaves two marks. The line is for programs in any language that read the pipe. But one reader takes it from
// all others, so the size of the pipe's buffer says the same and can't be consumed: one page, which no new pipe has
// (pipe(7)).
constexpr char kLine[] = "exit requested\n";

bool has_requested_size(int fd) { return fcntl(fd, F_GETPIPE_SZ) == sysconf(_SC_PAGESIZE); }

bool has_line(int fd) {
  int available = 0;
  return ioctl(fd, FIONREAD, &available) == 0 && available > 0;
}

}  // namespace

ExitPipe::ExitPipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    error_ = errno;
    return;
  }
  read_end_.reset(ends[0]);
  write_end_.reset(ends[1]);
  struct stat status{};
  if (fstat(ends[0], &status) != 0) error_ = errno;
  inode_ = status.st_ino;
}

void ExitPipe::set() {
  if (!write_end_.valid()) return;
  // Shrinking an empty pipe needs no privilege and no memory; the line alone would do if it failed.
  fcntl(write_end_.get(), F_SETPIPE_SZ, 1);
  // The pipe is empty, so the line fits, and this process holds a read end, so there is no SIGPIPE.
  static_cast<void>(write(write_end_.get(), kLine, sizeof kLine - 1) == 0);
  write_end_.reset();
}

bool claim_exit_fd(int fd, std::uint64_t inode) {
  struct stat status{};
  if (fstat(fd, &status) != 0 || status.st_ino != inode) return false;
  // Files of other file systems have numbers of their own, a named pipe too.
  struct statfs system{};
  if (fstatfs(fd, &system) != 0 || system.f_type != PIPEFS_MAGIC) return false;
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || (flags & O_ACCMODE) != O_RDONLY) return false;
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  return true;
}

ExitReason exit_reason(int fd) {
  pollfd poll_fd{fd, POLLIN, 0};
  if (poll(&poll_fd, 1, 0) <= 0) return ExitReason::kUnset;
  return has_requested_size(fd) || has_line(fd) ? ExitReason::kRequested : ExitReason::kOrphaned;
}

ExitReason wait_for_exit_event(int fd, double timeout_ms) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  for (;;) {
    const double passed = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
    const double remaining = std::ceil(std::fmax(timeout_ms - passed, 0));
    pollfd poll_fd{fd, POLLIN, 0};
    const int ready = poll(&poll_fd, 1, std::isinf(timeout_ms) ? -1 : static_cast<int>(remaining));
    if (ready > 0) return exit_reason(fd);
    if (ready == 0) return ExitReason::kUnset;
  }
}

class ExitEventWatch::Implementation {
 public:
  Implementation(uv_loop_t* loop, int fd, std::int32_t* flag, std::function<void()> raised)
      : fd_(fd), flag_(flag), raised_(std::move(raised)), stop_(eventfd(0, EFD_CLOEXEC)) {
    uv_async_init(loop, &async_, [](uv_async_t* handle) { static_cast<Implementation*>(handle->data)->raised_(); });
    async_.data = this;
    keep_alive(false);
    if (!stop_.valid()) {
      error_ = errno;
      return;
    }
    const SignalsBlocked blocked{kProgramSignals};
    uv_thread_options_t options{};
    options.flags = UV_THREAD_HAS_STACK_SIZE;
    options.stack_size = std::size_t{64} * 1024;
    error_ =
        -uv_thread_create_ex(&thread_, &options, [](void* self) { static_cast<Implementation*>(self)->run(); }, this);
    started_ = error_ == 0;
  }

  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;

  [[nodiscard]] int error() const { return error_; }

  void keep_alive(bool on) {
    auto* const handle = reinterpret_cast<uv_handle_t*>(&async_);
    on ? uv_ref(handle) : uv_unref(handle);
  }

  void close(std::function<void()> closed) {
    if (started_) {
      eventfd_write(stop_.get(), 1);
      uv_thread_join(&thread_);
    }
    closed_ = std::move(closed);
    uv_close(reinterpret_cast<uv_handle_t*>(&async_), [](uv_handle_t* handle) {
      // Moved out first: it destroys this object.
      const std::function<void()> done = std::move(static_cast<Implementation*>(handle->data)->closed_);
      done();
    });
  }

 private:
  void run() {
    pollfd polls[2] = {{fd_, POLLIN, 0}, {stop_.get(), POLLIN, 0}};
    while (poll(polls, 2, -1) < 0) continue;
    if (polls[1].revents != 0) return;
    std::atomic_ref{*flag_}.store(static_cast<std::int32_t>(exit_reason(fd_)));
    uv_async_send(&async_);
  }

  const int fd_;
  std::int32_t* const flag_;
  const std::function<void()> raised_;
  const FileDescriptor stop_;
  uv_async_t async_{};
  uv_thread_t thread_{};
  bool started_ = false;
  int error_ = 0;
  std::function<void()> closed_;
};

ExitEventWatch::ExitEventWatch(uv_loop_t* loop, int fd, std::int32_t* flag, std::function<void()> raised)
    : implementation_(std::make_unique<Implementation>(loop, fd, flag, std::move(raised))) {}
ExitEventWatch::~ExitEventWatch() = default;

int ExitEventWatch::error() const { return implementation_->error(); }
void ExitEventWatch::keep_alive(bool on) { implementation_->keep_alive(on); }
void ExitEventWatch::close(std::function<void()> closed) { implementation_->close(std::move(closed)); }

}  // namespace sigshield
