// The controlling terminal of this process.
#pragma once

#include <sys/types.h>
#include <termios.h>

#include <optional>

namespace sigshield {

// The mode of the terminal: echo, line editing, and what its keys do (termios(3)). Nothing where there is no terminal.
std::optional<termios> terminal_mode();

// Nothing happens when the terminal is another group's.
void set_terminal_mode(const termios& mode);

// A process group that was given the terminal.
struct ForegroundJob {
  pid_t group = 0;
  std::optional<termios> mode_before;
};

enum class TerminalMode { kTheirs, kOurs };

// Makes this process's group the foreground group again, if the job's is it now, and the mode what it was before, as a
// shell does for a job that could not do so itself. Nothing happens when the terminal is somebody else's, or gone.
void take_back_terminal(const ForegroundJob& job, TerminalMode mode);

// Makes this group the foreground group, if this process's own is it now; tells whether it did.
bool hand_over_terminal_to(pid_t group);

}  // namespace sigshield
