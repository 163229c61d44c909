#include "platform/linux/shared_table.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <span>
#include <string_view>

namespace sigshield::platform {

namespace {

// To copy so many takes no time to speak of.
constexpr int kLowEnd = 1024;
// The three of stdio, the channel of a fork, an exit event, the parent's pidfd, and the pipe of Release.
constexpr std::size_t kMostKept = 7;
// Those below are the program's to close and to open.
constexpr int kFirstKept = 3;

enum class Owner : std::uint8_t {
  kUs,
  kAnother,
  kUnknown,
};

// Numbers of this process that are lent to one start at a time. All are open to one pipe of ours, whose other end is
// closed, so that they can be told from what has their number after a program has closed all that it did not open.
class KeptNumbers {
 public:
  // One start at a time has them, and no start waits for them.
  bool acquire() { return !in_use_.exchange(true, std::memory_order_acquire); }
  void release() { in_use_.store(false, std::memory_order_release); }

  // Forgets what is another's by now, and takes what is free. False: there is nothing of ours to lend.
  bool refresh() {
    for (std::size_t i = count_; i > 0; --i) {
      const Owner owner = owner_of(numbers_[i - 1]);
      if (owner == Owner::kUnknown) return false;
      if (owner == Owner::kAnother) forget(i - 1);
    }
    if (count_ == 0) return open_first();
    fill(numbers_[0]);
    return true;
  }

  // The one that copies are made of. It may be a high one.
  [[nodiscard]] int original() const { return numbers_[0]; }
  [[nodiscard]] std::span<const int> numbers() const { return {numbers_.data(), count_}; }

  [[nodiscard]] bool has(int number) const { return std::ranges::find(numbers(), number) != numbers().end(); }

  void forget_number(int number) {
    for (std::size_t i = count_; i > 0; --i) {
      if (numbers_[i - 1] == number) forget(i - 1);
    }
  }

 private:
  [[nodiscard]] Owner owner_of(int number) const {
    struct stat status{};
    if (fstat(number, &status) != 0) return errno == EBADF ? Owner::kAnother : Owner::kUnknown;
    return status.st_dev == device_ && status.st_ino == inode_ ? Owner::kUs : Owner::kAnother;
  }

  void forget(std::size_t index) { numbers_[index] = numbers_[--count_]; }

  bool open_first() {
    FileDescriptor read_end;
    FileDescriptor write_end;
    struct stat status{};
    if (open_pipe(read_end, write_end) || fstat(read_end.get(), &status) != 0) return false;
    device_ = status.st_dev;
    inode_ = status.st_ino;
    fill(read_end.get());
    return count_ > 0;
  }

  // A high one only where there is no other.
  void fill(int original) {
    while (count_ < kMostKept) {
      FileDescriptor copy{fcntl(original, F_DUPFD_CLOEXEC, kFirstKept)};
      if (!copy.valid() || (copy.get() >= kLowEnd && count_ > 0)) return;
      numbers_[count_++] = copy.release();
    }
  }

  std::atomic<bool> in_use_{false};
  std::array<int, kMostKept> numbers_{};
  std::size_t count_ = 0;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

KeptNumbers& kept_numbers() {
  static KeptNumbers kept;
  return kept;
}

std::atomic<bool>& refused_for_good() {
  static std::atomic<bool> refused{false};
  return refused;
}

bool is_open(int number) { return fcntl(number, F_GETFD) >= 0; }

// The kernel gives the lowest number that is free, so the first is open where many are. But it may have been closed
// since (the pipe of a start that was under way has numbers too): another start asks for another one besides, and what
// was open is asked for again.
bool has_many() {
  constexpr std::array kOthers{1, 2, 3, 5, 8, 13, 21, 34, 55, 144, 377, 987, 2584, 6765, 17711};
  static std::atomic<std::size_t> asked{0};
  if (is_open(kLowEnd)) return true;
  const std::size_t at = asked.load(std::memory_order_relaxed);
  if (is_open(kLowEnd + kOthers.at(at))) return true;
  asked.store((at + 1) % kOthers.size(), std::memory_order_relaxed);
  return false;
}

// The child has fewer descriptors before its program runs than it would have of a whole table.
bool may_name_descriptor(const char* path) {
  const std::string_view text{path};
  return text.starts_with("/proc/") || text.starts_with("/dev/");
}

bool may_name_descriptor(const StartPlan& plan) {
  if (plan.directory != nullptr && may_name_descriptor(plan.directory)) return true;
  for (char* const* candidate = plan.candidates; *candidate != nullptr; ++candidate) {
    if (may_name_descriptor(*candidate)) return true;
  }
  return false;
}

// To close a descriptor of a file takes the process its record locks on that file (fcntl_locking(2)), and writes what
// is to be written of it. Of a socket neither.
bool is_socket(int fd) {
  struct stat status{};
  return fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode);
}

}  // namespace

void keep_low_numbers() {
  static std::atomic<bool> done{false};
  if (done.exchange(true)) return;
  rlimit limit{};
  // Where there can't be many.
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur <= kLowEnd) return;
  KeptNumbers& kept = kept_numbers();
  if (!kept.acquire()) return;
  static_cast<void>(kept.refresh());
  kept.release();
}

bool SharedTable::is_worth_it() { return !refused_for_good().load(std::memory_order_relaxed) && has_many(); }

bool SharedTable::open(const StartPlan& plan, std::array<int*, 3> ours) {
  if (!is_worth_it() || may_name_descriptor(plan)) return false;
  KeptNumbers& kept = kept_numbers();
  owns_numbers_ = kept.acquire();
  if (!owns_numbers_ || !kept.refresh()) return false;
  canary_.reset(fcntl(kept.original(), F_DUPFD_CLOEXEC, kLowEnd));
  if (canary_.valid() && place_all(plan, ours)) return true;
  for (const Loan& loan : std::span{loans_.data(), loan_count_}) *loan.place = loan.source;
  return false;
}

bool SharedTable::place_all(const StartPlan& plan, std::array<int*, 3> ours) {
  for (int* const source : ours) {
    if (*source >= kLowEnd && !lend(*source)) return false;
    first_other_ = std::max(first_other_, *source + 1);
  }
  for (int& source : std::span{plan.descriptors, static_cast<std::size_t>(plan.descriptor_count)}) {
    // A program that names one of those that are kept gets what it names.
    if (kept_numbers().has(source)) return false;
    if (source >= kLowEnd && !(is_socket(source) && lend(source))) return false;
    first_other_ = std::max(first_other_, source + 1);
  }
  return true;
}

bool SharedTable::lend(int& source) {
  const std::span<const int> kept = kept_numbers().numbers();
  const std::span lent{loans_.data(), loan_count_};
  const auto found = std::ranges::find_if(kept, [&](int number) {
    return number < kLowEnd && std::ranges::find(lent, number, &Loan::number) == lent.end();
  });
  if (found == kept.end() || dup3(source, *found, O_CLOEXEC) < 0) return false;
  loans_[loan_count_++] = {*found, source, &source};
  source = *found;
  return true;
}

SharedTable::~SharedTable() {
  if (!owns_numbers_) return;
  KeptNumbers& kept = kept_numbers();
  for (const Loan& loan : std::span{loans_.data(), loan_count_}) {
    if (dup3(canary_.get(), loan.number, O_CLOEXEC) >= 0) continue;
    close(loan.number);
    kept.forget_number(loan.number);
  }
  canary_.reset();
  kept.release();
}

void SharedTable::refused(int error) {
  if (error != EMFILE && error != ENFILE && error != ENOMEM && error != EAGAIN) refused_for_good().store(true);
}

}  // namespace sigshield::platform
