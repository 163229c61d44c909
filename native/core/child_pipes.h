// The descriptors that a child is to get: what it is given is open, and new pipes to it.
#pragma once

#include <span>
#include <vector>

#include "core/failure.h"
#include "core/file_descriptor.h"

namespace sigshield {

// Whether all are open that are descriptors. To be asked before anything is opened for the start: a number that is not
// open could become one of our own, which the child must not get.
Failure check_all_open(std::span<const int> descriptors);

// Replaces each kNewPipe by the child's end of a new socket pair. Both ends are owned by the lists, after a failure
// too.
Failure open_child_pipes(std::vector<int>& descriptors, std::vector<FileDescriptor>& parent_ends,
                         std::vector<FileDescriptor>& child_ends);

}  // namespace sigshield
