// The mark stands in the mode of the pipe's inode: executable. Only the owner of the pipe, who is the parent's user,
// can change it (fchmod(2)), and every language can ask for it: `test -x /dev/fd/N`.
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include <cerrno>

#include "platform/platform.h"

namespace sigshield::platform {

namespace {

constexpr mode_t kSealed = S_IRUSR | S_IRGRP | S_IROTH;
constexpr mode_t kMark = S_IXUSR | S_IXGRP | S_IXOTH;

}  // namespace

// Not needed to be right: where it is refused, a child can spoil its own pipe more easily.
void seal_exit_pipe(int write_fd) { static_cast<void>(fchmod(write_fd, kSealed) == 0); }

// Not needed to be right either: the line says the same, until somebody reads it.
void mark_exit_pipe(int, int write_fd) { static_cast<void>(fchmod(write_fd, kSealed | kMark) == 0); }

bool exit_mark_needs_read_end() { return false; }

bool is_marked_exit_pipe(int read_fd) {
  struct stat status{};
  return fstat(read_fd, &status) == 0 && (status.st_mode & kMark) == kMark;
}

Failure is_anonymous_pipe(int fd, bool& answer) {
  struct statfs system{};
  if (fstatfs(fd, &system) != 0) return {Step::kFstatfs, errno};
  answer = system.f_type == PIPEFS_MAGIC;
  return {};
}

}  // namespace sigshield::platform
