// Who takes a signal of this process for the time being, in place of the action that was there. What comes is noted by
// the handler: no system but Linux takes a pending signal with a time limit.
#pragma once

#include "core/signal_set.h"
#include "platform/own_signals.h"
#include "platform/platform.h"

namespace sigshield::platform {

// One of those who do, for the life of the object. The last one of a signal is the one who takes it.
class SignalLayer {
 public:
  enum class Kind {
    kIgnores,
    kKeeps,  // What comes is kept for who takes it, or comes again when the last layer is gone.
  };

  // `wake_up` is sent when there is something to take, from handlers too. It may be null, and outlives the layer.
  SignalLayer(SignalSet signals, Kind kind, const WakeUp* wake_up = nullptr);
  ~SignalLayer();
  SignalLayer(const SignalLayer&) = delete;
  SignalLayer& operator=(const SignalLayer&) = delete;

  // One of these that is kept, and that no layer over this one takes. Its signal is 0 where there is none.
  [[nodiscard]] Arrival take(SignalSet signals) const;

  [[nodiscard]] Kind kind() const { return kind_; }
  void wake() const {
    if (wake_up_ != nullptr) wake_up_->send();
  }
  // Where the handler wakes who takes it; -1: nobody.
  [[nodiscard]] const WakeUp* wake_up() const { return wake_up_; }

 private:
  const SignalSet signals_;
  const Kind kind_;
  const WakeUp* const wake_up_;
};

}  // namespace sigshield::platform
