// An addon of another library, for its own signal: SIGUSR2 has a handler with a mask and flags of its own. action()
// prints the kernel's struct sigaction of SIGUSR2, SIGTERM and SIGHUP, and act() sets SIGUSR2 to its default.
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef void* (*Callback)(void* env, void* info);
int napi_create_function(void* env, const char* name, size_t length, Callback call, void* data, void** result);
int napi_set_named_property(void* env, void* object, const char* name, void* value);

static void on_signal(int number, siginfo_t* info, void* context) {
  (void)number, (void)info, (void)context;
  static const char said[] = "native handler\n";
  if (write(1, said, sizeof said - 1) < 0) return;
}

static void* action(void* env, void* info) {
  (void)env, (void)info;
  static const int signals[] = {SIGUSR2, SIGTERM, SIGHUP};
  for (int i = 0; i < 3; i++) {
    unsigned char raw[32] = {0};
    syscall(SYS_rt_sigaction, signals[i], NULL, raw, 8);
    for (int byte = 0; byte < 32; byte++) dprintf(1, "%02x", raw[byte]);
  }
  dprintf(1, "\n");
  return NULL;
}

static void* act(void* env, void* info) {
  (void)env, (void)info;
  signal(SIGUSR2, SIG_DFL);
  return NULL;
}

void* napi_register_module_v1(void* env, void* exports);
void* napi_register_module_v1(void* env, void* exports) {
  struct sigaction mine;
  memset(&mine, 0, sizeof mine);
  mine.sa_sigaction = on_signal;
  mine.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK;
  sigaddset(&mine.sa_mask, SIGWINCH);
  sigaddset(&mine.sa_mask, 50);
  sigaction(SIGUSR2, &mine, NULL);
  const struct {
    const char* name;
    Callback call;
  } functions[] = {{"action", action}, {"act", act}};
  for (int i = 0; i < 2; i++) {
    void* value = NULL;
    napi_create_function(env, functions[i].name, strlen(functions[i].name), functions[i].call, NULL, &value);
    napi_set_named_property(env, exports, functions[i].name, value);
  }
  return exports;
}
