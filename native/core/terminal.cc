#include "core/terminal.h"

#include <fcntl.h>
#include <unistd.h>

#include "core/file_descriptor.h"
#include "core/signal_set.h"
#include "platform/platform.h"

namespace sigshield {

void take_back_terminal(pid_t group) {
  const FileDescriptor terminal{open("/dev/tty", O_RDWR | O_CLOEXEC)};
  if (!terminal.valid() || tcgetpgrp(terminal.get()) != group) return;
  // A background process with SIGTTOU blocked may (tcsetpgrp(3)).
  const platform::SignalsBlocked blocked{kProgramSignals};
  tcsetpgrp(terminal.get(), getpgrp());
}

}  // namespace sigshield
