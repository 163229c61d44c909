// For tests: as much of kqueue(2) as native/platform/posix asks for, over epoll and pidfds. On a Mac the system has it.
#pragma once

#include <cstdint>
#include <ctime>

struct kevent {
  std::uintptr_t ident;
  std::int16_t filter;
  std::uint16_t flags;
  std::uint32_t fflags;
  std::intptr_t data;
  void* udata;
};

constexpr std::int16_t EVFILT_PROC = -5;
constexpr std::int16_t EVFILT_USER = -10;
constexpr std::uint16_t EV_ADD = 0x1;
constexpr std::uint16_t EV_DELETE = 0x2;
constexpr std::uint16_t EV_ONESHOT = 0x10;
constexpr std::uint32_t NOTE_EXIT = 0x8000'0000;
constexpr std::uint32_t NOTE_TRIGGER = 0x0100'0000;

int kqueue();
int kevent(int queue, const struct kevent* changes, int change_count, struct kevent* events, int event_count,
           const timespec* timeout);
