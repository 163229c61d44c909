#include "core/start.h"

#include "core/child_pipes.h"
#include "core/exec_paths.h"

namespace sigshield {

namespace {

// Lays out what the platform is given, for as long as `call` takes.
auto with_plan(StartRequest& request, auto call) {
  const StringList candidates{candidate_paths(request.file, request.environment)};
  std::vector<char*> shell = shell_arguments(request.arguments);
  return call(platform::StartPlan{
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
  });
}

}  // namespace

StartResult start(StartRequest& request) {
  StartResult result;
  std::vector<FileDescriptor> child_ends;
  result.failure = open_child_pipes(request.descriptors, result.pipes, child_ends);
  if (result.failure) return result;

  platform::Started started = with_plan(request, platform::start);
  result.failure = started.failure;
  result.process = std::move(started.process);
  result.enforced = started.enforced;
  result.in_force = started.in_force;
  result.kept_ignored = started.kept_ignored;
  return result;
}

Failure replace(StartRequest& request) { return with_plan(request, platform::replace); }

}  // namespace sigshield
