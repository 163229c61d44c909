// What sigshield asks of an operating system. Each folder beside this page answers all of it for one system; only there
// do headers of a system stand. It is long, as it is the whole list.
//
//   Descriptors    open_pipe, open_socket_pair, wait_for_any, WakeUp
//   Signal mask    SignalsBlocked
//   Start          start: with the ignored set enforced, and the terminal taken, where that is asked for;
//   StartUnderWay;
//                  has_signal_filter, has_parent_death_signal
//   End            ExitSource tells that a child may have ended; exit_descriptor, look_at, has_stopped, stop_signal,
//                  reap, reap_later
//   Signal         send_signal, send_signal_to_group, group_is_anothers, signal_process
//   Exit pipe      seal_exit_pipe, mark_exit_pipe, exit_mark_needs_read_end, is_marked_exit_pipe, is_anonymous_pipe
//   Program file   has_file_capabilities
//   Itself         replace, end_by, adopt_orphans
//   Own signals    own_signals.h
//   All processes  process_table.h
//   Symbols        symbols.h
//
// posix/ answers most of it for systems with posix_spawn and kqueue; what each does in its own way: posix/system.h.
// What POSIX gives everywhere is not asked for here: giving back the terminal is core/terminal.h.
#pragma once

#include <poll.h>
#include <sys/types.h>
#include <uv.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/failure.h"
#include "core/file_descriptor.h"
#include "core/signal_set.h"
#include "core/wire.h"

namespace sigshield::platform {

// Descriptors. All are closed on exec from the first, where the system can do that.

Failure open_pipe(FileDescriptor& read_end, FileDescriptor& write_end);
Failure open_socket_pair(FileDescriptor& one, FileDescriptor& other);

// poll(2), also where a policy refuses that very call: Node does without it. Negative with errno.
int wait_for_any(std::span<pollfd> descriptors, int timeout_ms);

// Wakes a thread that waits for other descriptors too.
class WakeUp {
 public:
  Failure open();
  // Readable from send() on.
  [[nodiscard]] int fd() const { return read_end_.get(); }
  void send() const;

 private:
  FileDescriptor read_end_;
  FileDescriptor write_end_;  // Invalid where the system has one descriptor for both.
};

// Signal mask

// Blocks these signals, and no others, in the calling thread for the life of the object, then restores exactly the mask
// that was there. Threads that start meanwhile inherit it.
class SignalsBlocked {
 public:
  explicit SignalsBlocked(SignalSet signals);
  ~SignalsBlocked();
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  SignalSet saved_ = 0;
};

// Start

// A child of this process that is not reaped. Until it is, its pid names no other process.
struct ProcessReference {
  pid_t pid = -1;
  FileDescriptor handle;         // What the system gives to name a process by; invalid where it gives nothing.
  std::uint64_t started_at = 0;  // As in process_table.h, where it tells processes apart in place of a handle.
};

// All that a start needs. The lists end with a null pointer. What is pointed to outlives the call of start(), or is
// kept by `owner` until the child has let go of it.
struct StartPlan {
  char* const* candidates;  // Paths to try, in order.
  char* const* arguments;
  char* const* environment;
  char** shell_arguments;  // `arguments` for /bin/sh to run a file without a known format; start() sets entry 1.
  const char* directory;   // Or null.
  int* descriptors;        // As in Wire, without kNewPipe. start() overwrites them.
  int descriptor_count;
  const gid_t* groups;  // The supplementary groups.
  int group_count;      // As in Wire.
  int terminal;         // Of this process, for StartOptions::foreground.
  StartOptions options;
  std::shared_ptr<const void> owner;  // Of all that is pointed to; null: the start has to wait for the program.
};

struct Started;

// A start that has not waited for the program. It holds what the child uses until that is there or fails.
class StartUnderWay {
 public:
  StartUnderWay() = default;
  StartUnderWay(const StartUnderWay&) = delete;
  StartUnderWay& operator=(const StartUnderWay&) = delete;
  virtual ~StartUnderWay() = default;

  // Readable when more is known.
  [[nodiscard]] virtual int fd() const = 0;
  // True from when it is known what came of it, which is when the child has ended at the latest: then it is told, all
  // but the process, which is the caller's to reap. Not to be destroyed before.
  virtual bool is_over(pid_t child, bool has_ended, Started& started) = 0;
};

struct Started {
  Failure failure;             // None when the program runs.
  ProcessReference process;    // Of a program that runs.
  bool enforced = false;       // The child can't undo what it ignores.
  SignalSet in_force = 0;      // What the child can't change: asked for now, or inherited from before.
  SignalSet kept_ignored = 0;  // Ignored although they were not to be: another's filter lets nobody change that.
  std::unique_ptr<StartUnderWay> under_way;  // Null: all is known.
};

// Starts the first candidate that can be executed, by the rules of execvp(3): with the dispositions, mask, ids and
// descriptors of the plan from its first instruction on, and nothing else of this process's. Returns once the program
// runs or can't: a child that failed is reaped already, and has no terminal any more. A start that need not wait for
// the program may return before, where nothing that can be looked up speaks against it.
Started start(const StartPlan& plan);

// Whether the kernel can be told to keep what is ignored ignored. Where it can't, no start asks for it.
bool has_signal_filter();

// Whether the kernel tells children of their parent's death. Where it does not, none asks for it.
bool has_parent_death_signal();

// End

using ChildId = std::uint32_t;

// How a child ended.
struct ExitStatus {
  bool known = false;  // False when something else in the process reaped it: then code and signal mean nothing.
  int code = 0;
  int signal = 0;  // 0: the child exited by itself, with `code`.
  double user_cpu_us = 0;
  double system_cpu_us = 0;
  std::optional<double> max_rss_bytes;  // Absent when the system can't tell it from its parent's.
};

// Tells one event loop which of its children to look at. All members are for the loop's thread.
class ExitSource {
 public:
  // Called with all children that may have exited, or stopped, since the last call. It may watch() and forget().
  using Announce = std::function<void(std::span<const ChildId>)>;

  // The loop outlives the source, and is not kept alive by it at first. Holds nothing of the loop until open().
  ExitSource(uv_loop_t* loop, Announce announce);
  ExitSource(const ExitSource&) = delete;
  ExitSource& operator=(const ExitSource&) = delete;
  ~ExitSource();

  // Before watch(). What failed can be tried again.
  Failure open();

  // Can't fail: a child whose handle can't be watched is watched in another way. A child that has exited already is
  // announced too.
  void watch(ChildId id, const ProcessReference& process, bool tell_stops);

  // The same for its start, while that is under way. `fd` is its own.
  void watch_start(ChildId id, int fd);
  // Before `fd` is closed.
  void forget_start(ChildId id, int fd);

  // A child that is announced and can't be reaped is announced again, some time later.
  void look_again(ChildId id);

  // For a child that is reaped, before its handle is closed.
  void forget(ChildId id, const ProcessReference& process);

  void keep_loop_alive(bool on);

  // After open(), whatever came of it. `closed` is called on the loop's thread when the loop has let go of the source,
  // which may then be destroyed.
  void close(std::function<void()> closed);

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

// For who waits without a loop: readable from the exit of the process on. -1 where the system has none.
int exit_descriptor(const ProcessReference& process);

// What became of a process.
enum class Fate {
  kLives,
  kExited,
  kGone,     // Something else in this process has reaped it: its number may name another already.
  kUnknown,  // The system refuses to say.
};

// One that has exited is still there to be reaped.
Fate look_at(const ProcessReference& process, ExitStatus& status);

// One that has exited is reaped.
Fate reap(const ProcessReference& process, ExitStatus& status);

// Whether it has stopped since the last time this was asked.
bool has_stopped(const ProcessReference& process);

// The signal that has stopped it, 0 while it is not stopped.
int stop_signal(const ProcessReference& process);

// A child whose thread is gone.
struct Orphan {
  ProcessReference process;
  // Asked whenever it may have exited; also when it may have stopped, some time later, where it is to be told of stops.
  // Reaps it if it has exited. Called on one thread of the process, which blocks all signals that a program can handle.
  std::function<Fate(const ProcessReference&)> reap;
  bool tell_stops = false;
};

// Reaps each of these when it has exited: by one thread of the process, which is there while any of them is left.
void reap_later(std::vector<Orphan> orphans);

// Signal

// Never reaches another process that got the same pid. ESRCH for one that is reaped.
Failure send_signal(const ProcessReference& process, int signal);

// The same for the process group that it leads, or led.
Failure send_signal_to_group(const ProcessReference& process, int signal);

// Whether there is a process group by its number that can't be shown to be its own.
bool group_is_anothers(const ProcessReference& process);

// The same for a process that may be no child: the one with this pid that was started at that tick (proc_pid_stat(5)).
// ESRCH when another has the pid now.
Failure signal_process(pid_t pid, std::uint64_t started_at, int signal);

// Itself

// The program of the plan in place of this one, in the same process: with its dispositions, mask and ids, and of this
// process's descriptors those that the plan names. To be called on the main thread. Returns only with a failure, after
// which this process is good for nothing but to say so.
Failure replace(const StartPlan& plan);

// Ends this process by the default action of the signal, whatever it does with it, but without a core dump. Returns
// where that can't be: process 1.
void end_by(int signal);

// Descendants whose parents are gone become this process's children.
Failure adopt_orphans();

// Exit pipe

// Who holds a read end of the pipe can't open it for writing by accident.
void seal_exit_pipe(int write_fd);

// Says, for every holder of an end of the pipe, that the exit was requested. No reader takes the mark away from
// another by reading.
void mark_exit_pipe(int read_fd, int write_fd);
// Whether that takes the read end. Where it does not, the parent closes it once the child has it.
bool exit_mark_needs_read_end();
bool is_marked_exit_pipe(int read_fd);

// Whether `fd` is a pipe without a name. Only among those does an inode name one.
Failure is_anonymous_pipe(int fd, bool& answer);

// Program file

// Whether who executes it may gain privileges by what the file system says of it, beside its mode: then no library is
// loaded into it that its environment names.
bool has_file_capabilities(const char* path);

}  // namespace sigshield::platform
