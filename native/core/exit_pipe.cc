#include "core/exit_pipe.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cmath>
#include <csignal>
#include <thread>

#include "core/signal_set.h"
#include "platform/platform.h"

namespace sigshield {

namespace {

// A request leaves two marks. The line is for programs in any language that read the pipe. But one reader takes it from
// all others, so the platform leaves a mark that can't be consumed.
constexpr char kLine[] = "exit requested\n";

// The reader may be gone, and SIGPIPE at its default here.
void write_line(int fd) {
  const platform::SignalsBlocked blocked{signal_bit(SIGPIPE)};
  if (write(fd, kLine, sizeof kLine - 1) >= 0 || errno != EPIPE) return;
  // Who can't ask has one: the write has sent it.
  sigset_t pending;
  if (sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) != 1) return;
  sigset_t broken_pipe;
  sigemptyset(&broken_pipe);
  sigaddset(&broken_pipe, SIGPIPE);
  int signal = 0;
  sigwait(&broken_pipe, &signal);
}

// On some systems the end of a pipe is readable too.
bool has_line(int fd, short revents) {
  int available = 0;
  return ioctl(fd, FIONREAD, &available) == 0 ? available > 0 : (revents & POLLIN) != 0;
}

// What is not open is not the event's. Any other error says nothing of the descriptor.
Claim unclaimed(Step step) { return {false, errno == EBADF ? Failure{} : Failure{step, errno}}; }

}  // namespace

Failure ExitPipe::open() {
  if (const Failure failure = platform::open_pipe(read_end_, write_end_)) return failure;
  platform::seal_exit_pipe(write_end_.get());
  // A child can open the pipe for writing once more, and fill it.
  if (fcntl(write_end_.get(), F_SETFL, O_NONBLOCK) != 0) return {Step::kFcntl, errno};
  struct stat status{};
  if (fstat(read_end_.get(), &status) != 0) return {Step::kFstat, errno};
  inode_ = status.st_ino;
  return {};
}

void ExitPipe::set() {
  if (!write_end_.valid()) return;
  // Either of the two would do.
  platform::mark_exit_pipe(read_end_.get(), write_end_.get());
  write_line(write_end_.get());
  write_end_.reset();
  if (child_has_it_) read_end_.reset();
}

void ExitPipe::close_read_end() {
  child_has_it_ = true;
  if (!write_end_.valid() || !platform::exit_mark_needs_read_end()) read_end_.reset();
}

// From here on the line has to do where the mark needs the read end: it would count as a reader itself.
bool ExitPipe::has_readers() {
  read_end_.reset();
  // xnu tells nothing to who asks for nothing, and that nobody reads by POLLHUP.
  pollfd poll_fd{write_end_.get(), POLLOUT, 0};
  return platform::wait_for_any({&poll_fd, 1}, 0) <= 0 || (poll_fd.revents & (POLLERR | POLLHUP)) == 0;
}

Claim claim_exit_fd(int fd, std::uint64_t inode) {
  struct stat status{};
  if (fstat(fd, &status) != 0) return unclaimed(Step::kFstat);
  if (status.st_ino != inode) return {};
  // Files of other file systems have numbers of their own, a named pipe too.
  bool is_pipe = false;
  if (const Failure failure = platform::is_anonymous_pipe(fd, is_pipe)) return {false, failure};
  if (!is_pipe) return {};
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0) return unclaimed(Step::kFcntl);
  if ((flags & O_ACCMODE) != O_RDONLY) return {};
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  return {true, {}};
}

ExitReason exit_reason(int fd, short revents) {
  return platform::is_marked_exit_pipe(fd) || has_line(fd, revents) ? ExitReason::kRequested : ExitReason::kOrphaned;
}

void pause_unless_interrupted() {
  constexpr auto kPause = std::chrono::milliseconds{100};
  if (errno != EINTR) std::this_thread::sleep_for(kPause);
}

ExitReason wait_for_exit_event(int fd, double timeout_ms) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  for (;;) {
    const double passed = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
    const double remaining = std::ceil(std::fmax(timeout_ms - passed, 0));
    pollfd poll_fd{fd, POLLIN, 0};
    const int ready = platform::wait_for_any({&poll_fd, 1}, std::isinf(timeout_ms) ? -1 : static_cast<int>(remaining));
    if (ready > 0) return exit_reason(fd, poll_fd.revents);
    if (ready == 0 || remaining == 0) return ExitReason::kUnset;
    pause_unless_interrupted();
  }
}

}  // namespace sigshield
