#include "core/exec_paths.h"

#include <paths.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <string_view>

namespace sigshield {

namespace {

std::string search_path(const StringList& environment) {
  constexpr std::string_view prefix = "PATH=";
  for (std::size_t i = 0; i < environment.size(); ++i) {
    const std::string_view entry{environment[i]};
    if (entry.starts_with(prefix)) return std::string{entry.substr(prefix.size())};
  }
  return default_path();
}

}  // namespace

std::string default_path() {
#if defined(__linux__) && !defined(__GLIBC__)
  // execvp of musl has a path of its own, and confstr another.
  return "/usr/local/bin:/bin:/usr/bin";
#elif defined(__APPLE__)
  // As libuv has it.
  return _PATH_DEFPATH;
#else
  std::string path(confstr(_CS_PATH, nullptr, 0), '\0');
  confstr(_CS_PATH, path.data(), path.size());
  path.pop_back();
  return path;
#endif
}

std::string candidate_paths(const std::string& file, const StringList& environment) {
  std::string block;
  if (file.find('/') != std::string::npos) {
    append_string(block, file);
    return block;
  }
  const std::string path = search_path(environment);
  block.reserve(2048);
  for (std::size_t start = 0; start <= path.size();) {
    const std::size_t end = std::min(path.find(':', start), path.size());
    // execvp of glibc skips what can't be a path.
    if (end - start < PATH_MAX) {
      // An empty entry is the working directory.
      if (end > start) block.append(path, start, end - start).push_back('/');
      append_string(block, file);
    }
    start = end + 1;
  }
  return block;
}

std::vector<char*> shell_arguments(const StringList& arguments) {
  static char shell[] = "/bin/sh";
  std::vector<char*> list{shell, nullptr};
  for (std::size_t i = 1; i < arguments.size(); ++i) list.push_back(arguments[i]);
  list.push_back(nullptr);
  return list;
}

}  // namespace sigshield
