// An addon of another library: loading it waits for every child whose number stands in REAPED_BY_ANOTHER, as a library
// that reaps all children of the process would.
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

void* napi_register_module_v1(void* env, void* exports);
void* napi_register_module_v1(void* env, void* exports) {
  (void)env;
  char* rest = NULL;
  char* pids = strdup(getenv("REAPED_BY_ANOTHER"));
  for (char* pid = strtok_r(pids, " ", &rest); pid != NULL; pid = strtok_r(NULL, " ", &rest)) {
    waitpid(atoi(pid), NULL, 0);
  }
  free(pids);
  return exports;
}
