// System calls without libc: they return -errno and touch no thread-local state, so the child half may use them while
// it shares its parent's memory.
#pragma once

#include <sys/syscall.h>

#include <type_traits>

namespace sigshield::platform {

namespace detail {

[[gnu::always_inline]] inline long syscall6(long number, long a, long b, long c, long d, long e, long f) {
#if defined(__x86_64__)
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
#else
#error "sigshield on Linux supports x86_64 and aarch64: another architecture needs its system call instruction here."
#endif
}

template <typename T>
[[gnu::always_inline]] inline long register_value(T value) {
  if constexpr (std::is_same_v<T, std::nullptr_t>) {
    return 0;
  } else if constexpr (std::is_pointer_v<T>) {
    return reinterpret_cast<long>(value);
  } else {
    return static_cast<long>(value);
  }
}

}  // namespace detail

template <typename... Arguments>
[[gnu::always_inline]] inline long raw_syscall(long number, Arguments... arguments) {
  static_assert(sizeof...(Arguments) <= 6);
  long registers[6] = {detail::register_value(arguments)...};
  return detail::syscall6(number, registers[0], registers[1], registers[2], registers[3], registers[4], registers[5]);
}

}  // namespace sigshield::platform
