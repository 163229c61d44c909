// The lock under which Node reads and writes the environment of the process.
#pragma once

#include <uv.h>

namespace sigshield {

// Held while `environ` is read: worker threads may share process.env (SHARE_ENV), and environ(7) has no lock of its
// own. What writes without Node's lock, as another addon that calls setenv(3) beside the program's threads, is as
// dangerous to Node itself.
class EnvironmentLock {
 public:
  // Whether this Node lets us take it. Without it `environ` is not to be read.
  static bool exists();

  EnvironmentLock();
  ~EnvironmentLock();
  EnvironmentLock(const EnvironmentLock&) = delete;
  EnvironmentLock& operator=(const EnvironmentLock&) = delete;
};

}  // namespace sigshield
