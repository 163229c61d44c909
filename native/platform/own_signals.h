// What sigshield asks of an operating system for the signals of this process itself: platform.h's second page.
//
//   Of the calling thread    change_mask, set_mask, pending_signals, raise_signal, take_signal
//   Of the whole process     disposition, SignalsIgnored, SignalHold, SignalWait, keep_taking, is_taken, come_again
//
// SignalsIgnored, SignalHold and a wait each lay an action of theirs over the one that is there. The last one acts. Any
// of them may go first: what was there comes back, to the byte, with the last to go.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>

#include "core/signal_set.h"

namespace sigshield::platform {

enum class MaskChange { kBlock, kUnblock, kSet };

// Leaves the signals that libc keeps for itself as they are. Returns the mask that was there.
SignalSet change_mask(MaskChange change, SignalSet signals);

// Exactly this one, libc's signals too.
void set_mask(SignalSet mask);

// For the calling thread, or for the process. Returns 0 or an errno.
[[nodiscard]] int pending_signals(SignalSet& pending);

// To the calling thread. Returns 0 or an errno: EAGAIN where a real-time signal finds no room in the queue.
int raise_signal(int signal);

enum class Disposition { kDefault, kIgnored, kHandled };

Disposition disposition(int signal);

// The kernel drops these for the life of the object.
class SignalsIgnored {
 public:
  explicit SignalsIgnored(SignalSet signals);
  ~SignalsIgnored();
  SignalsIgnored(const SignalsIgnored&) = delete;
  SignalsIgnored& operator=(const SignalsIgnored&) = delete;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

// These wait for the life of the object, whichever thread they reach. Then they are sent to the process again. In the
// meantime the kernel keeps them, by its rules: a standard signal once, real-time ones in a queue.
class SignalHold {
 public:
  explicit SignalHold(SignalSet signals);
  ~SignalHold();
  SignalHold(const SignalHold&) = delete;
  SignalHold& operator=(const SignalHold&) = delete;

  // 0, or the errno for which no thread could be had: then nothing is held.
  [[nodiscard]] int error() const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

struct Arrival {
  int signal = 0;    // 0: none came in time. Negative: the errno for which there was no waiting.
  pid_t sender = 0;  // 0: the kernel, or who stands in an outer pid namespace.
  uid_t uid = 0;
  bool is_of_kernel = false;  // As of a terminal's key.
};

// Takes the first of these that is pending, or comes to any thread of the process. Blocks the calling thread, for ever
// if the time is infinite.
Arrival take_signal(SignalSet signals, double timeout_ms);

// The same on a thread of its own. What comes from the construction on is taken.
class SignalWait {
 public:
  // `over` is called on that thread when one has come or the time is over, and not for a wait that is finished before.
  SignalWait(SignalSet signals, double timeout_ms, std::function<void()> over);
  // What was taken, and finish() has not told, goes on as it would have.
  ~SignalWait();
  SignalWait(const SignalWait&) = delete;
  SignalWait& operator=(const SignalWait&) = delete;

  // As of SignalHold.
  [[nodiscard]] int error() const;

  // Ends the wait. What it has taken, or what is pending by now: what comes later goes on as it would have.
  Arrival finish();

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

// `change` may write the action of this signal: who lies over it goes on, and what was written comes back in the end.
void keep_taking(int signal, const std::function<void()>& change);

// Whether anybody lies over it.
bool is_taken(int signal);

// It has come to somebody that it was not for: who lies over it takes it, else the action that is there now.
void come_again(int signal);

}  // namespace sigshield::platform
