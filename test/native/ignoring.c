// An addon of another library: loading it sets SIGCHLD to be ignored in this process, so that the kernel reaps.
#include <signal.h>

void* napi_register_module_v1(void* env, void* exports);
void* napi_register_module_v1(void* env, void* exports) {
  (void)env;
  signal(SIGCHLD, SIG_IGN);
  return exports;
}
