// What the linker of this program knows: platform.h's fourth page.
#pragma once

#include <cstddef>

namespace sigshield::platform {

// The object of this name and size that the program, or a library of its, lets others use. Null where there is none.
void* exported_object(const char* name, std::size_t size);

// environ(7): null, or ends with a null pointer.
char** own_environment();

// Node unloads an addon with the last worker thread that had it (dlclose(3)), where the main thread never had. Threads
// and signal handlers of ours are there for longer.
void stay_loaded();

}  // namespace sigshield::platform
