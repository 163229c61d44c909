// What the kernel tells as text, read without libc. The child half reads it too, whose object refers to no other: so
// nothing here stays a function of its own.
#pragma once

#include <sys/utsname.h>

#include "platform/linux/raw_syscall.h"

namespace sigshield::platform {

// Leaves `text` behind the digits.
[[gnu::always_inline]] inline int number_at(const char*& text) {
  int number = 0;
  // NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): it can't see the kernel fill the buffer.
  for (; *text >= '0' && *text <= '9'; ++text) number = number * 10 + (*text - '0');
  return number;
}

// Or a Linux that does not say what it is.
[[gnu::always_inline]] inline bool is_before_linux_5_16() {
  utsname system;
  if (raw_syscall(SYS_uname, &system) != 0) return true;
  const char* text = system.release;
  const int major = number_at(text);
  if (*text == '.') ++text;
  const int minor = number_at(text);
  return major < 5 || (major == 5 && minor < 16);
}

}  // namespace sigshield::platform
