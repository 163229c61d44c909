// The parent half: lays out all that the child needs, clones, and learns what came of it.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "platform/linux/attempt.h"
#include "platform/linux/seccomp_filter.h"
#include "platform/linux/shared_table.h"
#include "platform/platform.h"

#ifndef SYS_openat2
#define SYS_openat2 437
#endif

namespace sigshield::platform {

namespace {

enum class Found : std::uint8_t { kYes, kNotHere, kTrouble };

// A file of this type that the child may execute, or a directory that it may enter.
Found look_up(const char* path, mode_t type) {
  struct stat status{};
  const bool is_there = stat(path, &status) == 0 && faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0;
  if (is_there) return (status.st_mode & S_IFMT) == type ? Found::kYes : Found::kTrouble;
  return errno == ENOENT || errno == ENOTDIR ? Found::kNotHere : Found::kTrouble;
}

// Candidates of which there were several, and that were found. Most starts are of a program that was started before.
class FoundBefore {
 public:
  // The first of these that is one.
  [[nodiscard]] const char* among(char* const* candidates) const {
    for (; *candidates != nullptr; ++candidates) {
      if (paths_.contains(*candidates)) return *candidates;
    }
    return nullptr;
  }
  void add(const char* path) {
    if (paths_.size() == kMost) paths_.clear();
    paths_.insert(path);
  }

 private:
  static constexpr std::size_t kMost = 64;
  std::unordered_set<std::string> paths_;
};

// Whether all is there that can be looked up before. Where it is not, the child says what is missing. A system call for
// each candidate is a good part of what a start costs its caller, so one that was found before is asked first: the
// child, that tries them in their order, comes to it at the latest. By the main thread alone.
bool finds_all(const StartPlan& plan) {
  static FoundBefore found_before;
  if (plan.directory != nullptr && look_up(plan.directory, S_IFDIR) != Found::kYes) return false;
  const char* const known = found_before.among(plan.candidates);
  if (known != nullptr && look_up(known, S_IFREG) == Found::kYes) return true;
  for (char* const* candidate = plan.candidates; *candidate != nullptr; ++candidate) {
    const bool is_looked_up_elsewhere = plan.directory != nullptr && **candidate != '/';
    const Found found = is_looked_up_elsewhere ? Found::kTrouble : look_up(*candidate, S_IFREG);
    // A relative one is another file in another directory.
    if (found == Found::kYes && **candidate == '/' && plan.candidates[1] != nullptr) found_before.add(*candidate);
    if (found != Found::kNotHere) return found == Found::kYes;
  }
  return false;
}

// The child has its parent thread's local storage, and that of another may end before it.
bool is_main_thread() {
  thread_local const bool is_main = static_cast<pid_t>(syscall(SYS_gettid)) == getpid();
  return is_main;
}

// A start that waits for its program can be made again in another way. So one of those in which that may be needed
// waits.
bool has_to_wait(const StartPlan& plan, SignalSet to_enforce) {
  return plan.owner == nullptr || plan.options.waits_for_exec != 0 || !is_main_thread() ||
         memory_for(plan) != Memory::kShared || plan.options.foreground != 0 || plan.options.process_group != 0 ||
         filters_in_force().immovable != 0 || (to_enforce != 0 && !filters_can_be_installed()) || !finds_all(plan);
}

// struct open_how, as of Linux 5.6 (openat2(2)).
struct OpenHow {
  std::uint64_t flags, mode, resolve;
};

// By a link of /proc, whose descriptor a child that has left a shared table has not.
bool may_lead_through_descriptor(const char* path) {
  constexpr std::uint64_t kNoMagicLinks = 0x02;
  const OpenHow how{.flags = O_PATH | O_CLOEXEC, .mode = 0, .resolve = kNoMagicLinks};
  const FileDescriptor found{static_cast<int>(syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how))};
  return !found.valid() && errno != ENOENT && errno != ENOTDIR;
}

// What was not found for the shared table alone is tried again only by a start that waits.
Table table_for(const StartPlan& plan, bool waits) {
  if (waits || !SharedTable::is_worth_it()) return Table::kMayBeShared;
  if (plan.directory != nullptr && may_lead_through_descriptor(plan.directory)) return Table::kCopied;
  for (char* const* candidate = plan.candidates; *candidate != nullptr; ++candidate) {
    if (may_lead_through_descriptor(*candidate)) return Table::kCopied;
  }
  return Table::kMayBeShared;
}

Started under_way(std::unique_ptr<Attempt> attempt) {
  Started started = attempt->watch();
  started.under_way = std::move(attempt);
  return started;
}

Started attempt(const StartPlan& plan, SignalSet to_enforce, Table table, bool waits, bool& again) {
  auto attempt = std::make_unique<Attempt>(plan, to_enforce);
  Started started;
  started.failure = attempt->clone(table, waits);
  if (!started.failure && !waits && attempt->can_be_watched()) return under_way(std::move(attempt));
  if (!started.failure) started = attempt->wait();
  again = attempt->is_to_be_made_again();
  return started;
}

Started start_once(const StartPlan& plan, SignalSet to_enforce, const std::vector<int>& descriptors) {
  const bool waits = has_to_wait(plan, to_enforce);
  bool again = false;
  std::copy(descriptors.begin(), descriptors.end(), plan.descriptors);
  Started started = attempt(plan, to_enforce, table_for(plan, waits), waits, again);
  if (!again) return started;
  std::copy(descriptors.begin(), descriptors.end(), plan.descriptors);
  return attempt(plan, to_enforce, Table::kCopied, waits, again);
}

}  // namespace

bool has_signal_filter() { return true; }

bool has_parent_death_signal() { return true; }

Started start(const StartPlan& plan) {
  const Enforcement enforcement = plan.options.enforcement;
  // What is in force already is not installed again: a program that restarts itself would gain a filter each time.
  const SignalSet wanted = plan.options.ignored & ~plan.options.unenforced;
  const SignalSet missing = enforcement == Enforcement::kOff ? 0 : wanted & ~filters_in_force().enforced;
  // The child half overwrites them.
  const std::vector<int> descriptors{plan.descriptors, plan.descriptors + plan.descriptor_count};
  Started started = start_once(plan, missing, descriptors);
  if (started.failure.step != Step::kSeccomp || enforcement != Enforcement::kIfAvailable) return started;
  return start_once(plan, 0, descriptors);
}

}  // namespace sigshield::platform
