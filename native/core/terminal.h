// The controlling terminal of this process.
#pragma once

#include <sys/types.h>
#include <termios.h>

#include <optional>

#include "core/failure.h"
#include "core/file_descriptor.h"

namespace sigshield {

// The mode of the terminal: echo, line editing, and what its keys do (termios(3)). Nothing where there is no terminal.
std::optional<termios> terminal_mode();

// Nothing happens when the terminal is another group's.
void set_terminal_mode(const termios& mode);

// A process group that is given the terminal.
struct ForegroundJob {
  // Held from before the start: when the job ends this process may have no descriptor left to open it by.
  FileDescriptor terminal;
  std::optional<termios> mode_before;
  pid_t group = 0;
};

// Before the start. The group is known after it.
Failure open_job(ForegroundJob& job);

// Makes this process's group the foreground group again, if `group` is it now, and the mode this one, unless it is
// null. Nothing happens when the terminal is somebody else's, or gone.
void take_back_terminal(int terminal, pid_t group, const termios* mode);

// Makes this group the foreground group, if this process's own is it now; tells whether it did.
bool hand_over_terminal_to(pid_t group);

}  // namespace sigshield
