// A start as the exec helper is told of it, and what the helper tells.
#pragma once

#include "core/failure.h"
#include "core/signal_set.h"
#include "platform/platform.h"
#include "platform/posix/exec_plan.h"

namespace sigshield::platform {

// All but the counts of the lists.
ExecPlan numbers_of(const StartPlan& plan, SignalSet to_enforce, int report_fd);

Failure failure_of(const ExecReport& report);

}  // namespace sigshield::platform
