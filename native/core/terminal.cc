#include "core/terminal.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "core/signal_set.h"
#include "platform/platform.h"

namespace sigshield {

namespace {

FileDescriptor open_terminal() { return FileDescriptor{open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)}; }

std::optional<termios> mode_of(const FileDescriptor& terminal) {
  termios mode{};
  if (!terminal.valid() || tcgetattr(terminal.get(), &mode) != 0) return std::nullopt;
  return mode;
}

// Nobody can be told of a refusal when a job has ended. One that passes must not cost the user the terminal.
template <typename Call>
int tried_again(Call call) {
  const int result = call();
  return result == -1 ? call() : result;
}

}  // namespace

std::optional<termios> terminal_mode() { return mode_of(open_terminal()); }

void set_terminal_mode(const termios& mode) {
  const FileDescriptor terminal = open_terminal();
  if (terminal.valid() && tcgetpgrp(terminal.get()) == getpgrp()) tcsetattr(terminal.get(), TCSANOW, &mode);
}

Failure open_job(ForegroundJob& job) {
  job.terminal = open_terminal();
  if (!job.terminal.valid()) return {Step::kOpen, errno};
  job.mode_before = mode_of(job.terminal);
  return {};
}

bool hand_over_terminal_to(pid_t group) {
  const FileDescriptor terminal = open_terminal();
  if (!terminal.valid() || tcgetpgrp(terminal.get()) != getpgrp()) return false;
  return tcsetpgrp(terminal.get(), group) == 0;
}

void take_back_terminal(int terminal, pid_t group, const termios* mode) {
  if (tried_again([&] { return tcgetpgrp(terminal); }) != group) return;
  // A background process with SIGTTOU blocked may (tcsetpgrp(3)).
  const platform::SignalsBlocked blocked{kProgramSignals};
  tried_again([&] { return tcsetpgrp(terminal, getpgrp()); });
  // Not drained first: a terminal that is paused (Ctrl-S) would hold us up.
  if (mode != nullptr) tried_again([&] { return tcsetattr(terminal, TCSANOW, mode); });
}

}  // namespace sigshield
