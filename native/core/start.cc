#include "core/start.h"

#include <memory>
#include <utility>

#include "core/child_pipes.h"
#include "core/exec_paths.h"

namespace sigshield {

namespace {

// A request, and what the platform is given of it.
struct LaidOut {
  explicit LaidOut(StartRequest&& given)
      : request(std::move(given)),
        candidates(candidate_paths(request.file, request.environment)),
        shell(shell_arguments(request.arguments)) {}

  [[nodiscard]] platform::StartPlan plan() {
    return {
        .candidates = candidates.data(),
        .arguments = request.arguments.data(),
        .environment = request.environment.data(),
        .shell_arguments = shell.data(),
        .directory = request.directory.empty() ? nullptr : request.directory.c_str(),
        .descriptors = request.descriptors.data(),
        .descriptor_count = static_cast<int>(request.descriptors.size()),
        .groups = request.groups ? request.groups->data() : nullptr,
        .group_count = request.groups ? static_cast<int>(request.groups->size()) : -1,
        .terminal = request.terminal,
        .options = request.options,
        .owner = nullptr,
    };
  }

  StartRequest request;
  const StringList candidates;
  std::vector<char*> shell;
  // Of one that is under way until its outcome is told: what it fails by comes before the end of its input.
  std::vector<FileDescriptor> child_ends;
};

}  // namespace

StartResult start(StartRequest request) {
  StartResult result;
  std::vector<FileDescriptor> child_ends;
  result.failure = open_child_pipes(request.descriptors, result.pipes, child_ends);
  if (result.failure) return result;

  const auto laid_out = std::make_shared<LaidOut>(std::move(request));
  laid_out->child_ends = std::move(child_ends);
  platform::StartPlan plan = laid_out->plan();
  plan.owner = laid_out;
  platform::Started started = platform::start(plan);
  result.failure = started.failure;
  result.process = std::move(started.process);
  result.enforced = started.enforced;
  result.in_force = started.in_force;
  result.kept_ignored = started.kept_ignored;
  result.under_way = std::move(started.under_way);
  return result;
}

Failure replace(StartRequest request) { return platform::replace(LaidOut{std::move(request)}.plan()); }

}  // namespace sigshield
