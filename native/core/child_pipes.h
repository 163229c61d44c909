// The descriptors that a child is to get: what it is given is open, and new pipes to it.
#pragma once

#include <vector>

#include "core/failure.h"
#include "core/file_descriptor.h"

namespace sigshield {

// Whether all are open that are descriptors.
Failure check_all_open(const std::vector<int>& descriptors);

// Replaces each kNewPipe by the child's end of a new socket pair. Both ends are owned by the lists, after a failure
// too.
Failure open_child_pipes(std::vector<int>& descriptors, std::vector<FileDescriptor>& parent_ends,
                         std::vector<FileDescriptor>& child_ends);

}  // namespace sigshield
