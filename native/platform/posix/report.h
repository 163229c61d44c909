// What the parent learns of the exec helper, by a pipe that the program does not get.
#pragma once

#include <sys/types.h>

#include "core/failure.h"
#include "core/file_descriptor.h"

namespace sigshield::platform {

// Until the program runs, which closes the pipe, or a step has failed. A process that was forked elsewhere meanwhile
// may hold a copy of the write end for as long as it likes: so the child is looked at now and then.
Failure wait_for_program(pid_t child, const FileDescriptor& report_pipe);

}  // namespace sigshield::platform
