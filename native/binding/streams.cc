// Giving a descriptor to a stream handle of Node's.
#include <napi.h>
#include <uv.h>

#include <algorithm>
#include <vector>

#include "binding/environment_state.h"
#include "binding/topics.h"
#include "core/file_descriptor.h"

namespace sigshield {

namespace {

bool is_pipe_without_descriptor(const uv_handle_t* handle) {
  uv_os_fd_t fd = -1;
  return uv_handle_get_type(handle) == UV_NAMED_PIPE && uv_is_closing(handle) == 0 && uv_fileno(handle, &fd) != 0;
}

// False in a thread that is being terminated.
bool call_method(const Napi::Object& object, const char* name) {
  const Napi::Value method = object.Get(name);
  return !method.IsEmpty() && method.IsFunction() && !method.As<Napi::Function>().Call(object, {}).IsEmpty();
}

// The handle of libuv behind one of Node's, which hides it: of those that keep the loop alive, the one that no longer
// does after unref(). Null for none.
uv_pipe_t* pipe_behind(uv_loop_t* loop, const Napi::Object& handle) {
  std::vector<uv_handle_t*> candidates;
  const auto collect = [](uv_handle_t* candidate, void* list) {
    if (!is_pipe_without_descriptor(candidate) || uv_has_ref(candidate) == 0) return;
    static_cast<std::vector<uv_handle_t*>*>(list)->push_back(candidate);
  };
  uv_walk(loop, collect, &candidates);
  if (!call_method(handle, "unref")) return nullptr;
  const auto found = std::ranges::find_if(candidates, [](const uv_handle_t* it) { return uv_has_ref(it) == 0; });
  if (!call_method(handle, "ref") || found == candidates.end()) return nullptr;
  return reinterpret_cast<uv_pipe_t*>(*found);
}

// (handle, fd): it owns the descriptor in any case. Node's own open() asks for the permission to use the network
// (Node 26.12), which the pipes of Node's own children need not have: libuv opens them.
void open_pipe(const Napi::CallbackInfo& info) {
  FileDescriptor end{info[1].As<Napi::Number>().Int32Value()};
  uv_pipe_t* const pipe = pipe_behind(state_of(info).loop(), info[0].As<Napi::Object>());
  if (pipe != nullptr && uv_pipe_open(pipe, end.get()) == 0) static_cast<void>(end.release());
}

}  // namespace

void register_streams(Napi::Env env, Napi::Object exports) { export_function<open_pipe>(env, exports, "openPipe"); }

}  // namespace sigshield
