// Whether a program has a part for arm64e: dyld ends one that is to load a library without such a part, and ours has
// none (Apple signs them alone). Plain POSIX, so that it is tested on every system.
#pragma once

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

enum { kHeadBytes = 4096, kMaxInterpreters = 5 };

static uint32_t big_endian(const unsigned char* bytes) {
  return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static uint32_t little_endian(const unsigned char* bytes) {
  return (uint32_t)bytes[3] << 24 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[1] << 8 | bytes[0];
}

// CPU_TYPE_ARM64 and CPU_SUBTYPE_ARM64E of <mach/machine.h>; the upper byte has features.
static bool is_arm64e(uint32_t type, uint32_t subtype) { return type == 0x0100000c && (subtype & 0x00ffffff) == 2; }

static bool file_has_arm64e(const unsigned char* head, size_t length) {
  if (length < 12) return false;
  if (little_endian(head) == 0xfeedfacf) return is_arm64e(little_endian(head + 4), little_endian(head + 8));
  const uint32_t magic = big_endian(head);
  const size_t entry = magic == 0xcafebabe ? 20 : magic == 0xcafebabf ? 32 : 0;
  if (entry == 0) return false;
  const uint32_t count = big_endian(head + 4);
  for (size_t i = 0, at = 8; i < count && at + 8 <= length; ++i, at += entry) {
    if (is_arm64e(big_endian(head + at), big_endian(head + at + 4))) return true;
  }
  return false;
}

// Of a script, in place: null where there is none.
static const char* interpreter_in(char* head, size_t length) {
  if (length < 3 || head[0] != '#' || head[1] != '!') return NULL;
  char* name = head + 2;
  while (*name == ' ' || *name == '\t') ++name;
  name[strcspn(name, " \t\r\n")] = '\0';
  return *name == '\0' ? NULL : name;
}

// A script's interpreter counts. Only async-signal-safe calls, as a child that was forked may ask.
static bool has_arm64e_part(const char* path) {
  char head[kHeadBytes + 1];
  for (int depth = 0; depth < kMaxInterpreters && path != NULL; ++depth) {
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    const ssize_t length = read(fd, head, kHeadBytes);
    close(fd);
    if (length <= 0) return false;
    head[length] = '\0';
    if (file_has_arm64e((const unsigned char*)head, (size_t)length)) return true;
    path = interpreter_in(head, (size_t)length);
  }
  return false;
}
