#include "core/terminal.h"

#include <fcntl.h>
#include <unistd.h>

#include "core/file_descriptor.h"
#include "core/signal_set.h"
#include "platform/platform.h"

namespace sigshield {

namespace {

FileDescriptor open_terminal() { return FileDescriptor{open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)}; }

}  // namespace

std::optional<termios> terminal_mode() {
  const FileDescriptor terminal = open_terminal();
  termios mode{};
  if (!terminal.valid() || tcgetattr(terminal.get(), &mode) != 0) return std::nullopt;
  return mode;
}

void set_terminal_mode(const termios& mode) {
  const FileDescriptor terminal = open_terminal();
  if (terminal.valid() && tcgetpgrp(terminal.get()) == getpgrp()) tcsetattr(terminal.get(), TCSANOW, &mode);
}

bool hand_over_terminal_to(pid_t group) {
  const FileDescriptor terminal = open_terminal();
  if (!terminal.valid() || tcgetpgrp(terminal.get()) != getpgrp()) return false;
  return tcsetpgrp(terminal.get(), group) == 0;
}

void take_back_terminal(const ForegroundJob& job, TerminalMode mode) {
  const FileDescriptor terminal = open_terminal();
  if (!terminal.valid() || tcgetpgrp(terminal.get()) != job.group) return;
  // A background process with SIGTTOU blocked may (tcsetpgrp(3)).
  const platform::SignalsBlocked blocked{kProgramSignals};
  tcsetpgrp(terminal.get(), getpgrp());
  // Not drained first: a terminal that is paused (Ctrl-S) would hold us up.
  if (mode == TerminalMode::kOurs && job.mode_before) tcsetattr(terminal.get(), TCSANOW, &*job.mode_before);
}

}  // namespace sigshield
