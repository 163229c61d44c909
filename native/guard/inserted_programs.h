// The programs that one under the guard starts on macOS: those that could not load the guard are started without it.
#pragma once

#include <spawn.h>
#include <stdlib.h>

#include "guard/arm64e.h"

static const char kInserted[] = "DYLD_INSERT_LIBRARIES=";

static size_t count_of(char* const* environment) {
  size_t count = 0;
  while (environment != NULL && environment[count] != NULL) ++count;
  return count;
}

// Without the variable: what else it names was made for the same programs as the guard.
static char* const* uninserted(char* const* environment, char** rest) {
  size_t kept = 0;
  for (; *environment != NULL; ++environment) {
    if (strncmp(*environment, kInserted, sizeof kInserted - 1) != 0) rest[kept++] = *environment;
  }
  rest[kept] = NULL;
  return rest;
}

#define ENVIRONMENT_FOR(path, environment) \
  char* rest[count_of(environment) + 1];   \
  if ((environment) != NULL && has_arm64e_part(path)) (environment) = uninserted((environment), rest)

static int inserted_execve(const char* path, char* const* argv, char* const* environment) {
  ENVIRONMENT_FOR(path, environment);
  return execve(path, argv, environment);
}

static int inserted_posix_spawn(pid_t* restrict pid, const char* restrict path,
                                const posix_spawn_file_actions_t* actions, const posix_spawnattr_t* restrict attributes,
                                char* const* restrict argv, char* const* restrict environment) {
  ENVIRONMENT_FOR(path, environment);
  return posix_spawn(pid, path, actions, attributes, argv, environment);
}

// As posix_spawnp(3) searches.
static bool found_has_arm64e_part(const char* file) {
  if (strchr(file, '/') != NULL) return has_arm64e_part(file);
  const char* path = getenv("PATH");
  if (path == NULL) path = "/usr/bin:/bin";
  char candidate[1024];
  for (;;) {
    const size_t length = strcspn(path, ":");
    if (length + strlen(file) + 2 <= sizeof candidate) {
      memcpy(candidate, path, length);
      candidate[length] = '/';
      strcpy(candidate + length + (length > 0), file);
      if (access(candidate, X_OK) == 0) return has_arm64e_part(candidate);
    }
    if (path[length] == '\0') return false;
    path += length + 1;
  }
}

static int inserted_posix_spawnp(pid_t* restrict pid, const char* restrict file,
                                 const posix_spawn_file_actions_t* actions,
                                 const posix_spawnattr_t* restrict attributes, char* const* restrict argv,
                                 char* const* restrict environment) {
  char* rest[count_of(environment) + 1];
  if (environment != NULL && found_has_arm64e_part(file)) environment = uninserted(environment, rest);
  return posix_spawnp(pid, file, actions, attributes, argv, environment);
}
