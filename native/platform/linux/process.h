// What this kernel can do with a pidfd.
#pragma once

namespace sigshield::platform {

// Linux 5.4. Before that a pidfd may exist but can't be waited for.
bool pidfds_can_be_waited_for();

}  // namespace sigshield::platform
