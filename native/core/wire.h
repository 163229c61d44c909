// The numbers of a start, as TypeScript and C++ share them: the memory that `spawn` is given, and its layout by name.
//
// To get and set properties instead costs more than the clone. An option that is only a number is added here, and in
// the child half of each platform; all between carries StartOptions whole.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/signal_set.h"

namespace sigshield {

enum class Enforcement : std::int32_t {
  kOff,
  kIfAvailable,  // Start the child without it where the system can't.
  kRequired,     // Fail to start it.
};

// Values of Wire::descriptors that are no descriptor of the parent's.
constexpr std::int32_t kNoDescriptor = -1;  // /dev/null for 0, 1 and 2, closed above.
constexpr std::int32_t kNewPipe = -2;       // One end of a new socket pair; the parent keeps the other.

// Aligned as a word is, so that an odd number of options leaves no gap behind them.
#pragma pack(push, 4)

// What is asked for. Nothing is optional: an option that was not given has its default value.
struct StartOptions {
  SignalSet ignored;     // SIG_IGN for these, SIG_DFL for all others.
  SignalSet blocked;     // Exactly the child's mask.
  SignalSet unenforced;  // Of the ignored ones: these the child may handle, whatever the enforcement.
  Enforcement enforcement;
  std::int32_t set_process_group;
  std::int32_t process_group;        // 0: a new one, which the child leads.
  std::int32_t foreground;           // The child's process group takes the terminal.
  std::int32_t parent_death_signal;  // Sent when the calling thread ends; 0: none.
  std::int32_t waits_for_exec;       // 0: a start may be over before it is known whether the program runs.
  std::int32_t new_session;
  std::int32_t set_uid;
  std::int32_t uid;  // Negative numbers wrap as uid_t does.
  std::int32_t set_gid;
  std::int32_t gid;
  std::int32_t exit_source;  // The read end of the child's exit event; -1: none.
  std::int32_t exit_target;  // Its number in the child, above all others.
};

struct Wire {
  StartOptions options;
  // How many strings of each kind stand in the text.
  std::int32_t argument_count;
  std::int32_t environment_count;  // -1: the process's own environment.
  std::int32_t change_count;
  std::int32_t descriptor_count;
  std::int32_t group_count;  // Of the supplementary groups; -1: not asked for, so none when an id is set.
  // The answer.
  std::int32_t step;
  std::int32_t pid;
  std::int32_t under_way;  // 1: what follows, and whether the program runs, is not known yet.
  std::int32_t enforced;
  // The set of signals that the child can't change, in two halves: 64 bits would have to stand further up.
  std::uint32_t in_force_low;
  std::uint32_t in_force_high;
  // That of those that it ignores although it was not to.
  std::uint32_t kept_ignored_low;
  std::uint32_t kept_ignored_high;
  // 1: the descriptors are an answer too. Each kNewPipe has become the parent's end of it, until JavaScript takes that
  // and clears its entry.
  std::int32_t hands_over;
  // Entry n becomes the child's descriptor n. The groups follow.
  std::int32_t descriptors[];
};

#pragma pack(pop)

struct WireField {
  std::string_view name;  // As in TypeScript.
  std::size_t offset;
  std::size_t width;
};

#define SIGSHIELD_FIELD(name, member) {name, offsetof(Wire, member), sizeof(Wire::member)}
constexpr auto kWireFields = std::to_array<WireField>({
    SIGSHIELD_FIELD("ignored", options.ignored),
    SIGSHIELD_FIELD("blocked", options.blocked),
    SIGSHIELD_FIELD("unenforced", options.unenforced),
    SIGSHIELD_FIELD("enforcement", options.enforcement),
    SIGSHIELD_FIELD("setProcessGroup", options.set_process_group),
    SIGSHIELD_FIELD("processGroup", options.process_group),
    SIGSHIELD_FIELD("foreground", options.foreground),
    SIGSHIELD_FIELD("parentDeathSignal", options.parent_death_signal),
    SIGSHIELD_FIELD("waitsForExec", options.waits_for_exec),
    SIGSHIELD_FIELD("newSession", options.new_session),
    SIGSHIELD_FIELD("setUid", options.set_uid),
    SIGSHIELD_FIELD("uid", options.uid),
    SIGSHIELD_FIELD("setGid", options.set_gid),
    SIGSHIELD_FIELD("gid", options.gid),
    SIGSHIELD_FIELD("exitSource", options.exit_source),
    SIGSHIELD_FIELD("exitTarget", options.exit_target),
    SIGSHIELD_FIELD("argumentCount", argument_count),
    SIGSHIELD_FIELD("environmentCount", environment_count),
    SIGSHIELD_FIELD("changeCount", change_count),
    SIGSHIELD_FIELD("descriptorCount", descriptor_count),
    SIGSHIELD_FIELD("groupCount", group_count),
    SIGSHIELD_FIELD("step", step),
    SIGSHIELD_FIELD("pid", pid),
    SIGSHIELD_FIELD("underWay", under_way),
    SIGSHIELD_FIELD("enforced", enforced),
    SIGSHIELD_FIELD("inForceLow", in_force_low),
    SIGSHIELD_FIELD("inForceHigh", in_force_high),
    SIGSHIELD_FIELD("keptIgnoredLow", kept_ignored_low),
    SIGSHIELD_FIELD("keptIgnoredHigh", kept_ignored_high),
    SIGSHIELD_FIELD("handsOver", hands_over),
    SIGSHIELD_FIELD("descriptors", descriptors[0]),
});
#undef SIGSHIELD_FIELD

consteval bool wire_fields_are_complete_and_in_order() {
  std::size_t end = 0;
  for (const WireField& field : kWireFields) {
    if (field.offset != end) return false;
    end += field.width;
  }
  return kWireFields.back().offset == offsetof(Wire, descriptors);
}
static_assert(wire_fields_are_complete_and_in_order());

// The process group of a child that was given one.
constexpr pid_t group_of(const StartOptions& options, pid_t child) {
  return options.set_process_group != 0 && options.process_group != 0 ? options.process_group : child;
}

}  // namespace sigshield
