#include "platform/posix/exec_helper_path.h"

#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sigshield::platform {

namespace {

std::string find() {
  Dl_info addon{};
  // Of an object of the addon's own.
  if (dladdr(reinterpret_cast<const void*>(&find), &addon) == 0 || addon.dli_fname == nullptr) return {};
  const std::string file = addon.dli_fname;
  std::string helper = file.substr(0, file.rfind('/') + 1) + "sigshield-exec";
  // Not all that copies a package keeps the modes of its files.
  if (access(helper.c_str(), X_OK) != 0) static_cast<void>(chmod(helper.c_str(), 0755) == 0);
  return helper;
}

}  // namespace

const std::string& exec_helper_path() {
  static const std::string path = find();
  return path;
}

}  // namespace sigshield::platform
