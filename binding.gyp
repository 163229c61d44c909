{
  "targets": [
    {
      "target_name": "sigshield",
      "conditions": [
        [
          "OS=='linux'",
          {
            "sources": [
              "native/addon.cc",
              "native/environment.cc",
              "native/string_list.cc",
              "native/signals_linux.cc",
              "native/spawn_linux.cc",
              "native/child_linux.cc",
              "native/release_linux.cc",
              "native/enforce_linux.cc",
              "native/exit_watcher_linux.cc",
              "native/exit_event_linux.cc",
              "native/terminal_linux.cc"
            ],
            "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
            "defines": ["NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS", "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS", "NAPI_VERSION=9"],
            "cflags_cc!": ["-std=gnu++17", "-std=gnu++20", "-fno-rtti"],
            "cflags_cc": ["-std=c++20", "-Wall", "-Wextra", "-fvisibility=hidden"],
            "ldflags": ["-Wl,-z,nodelete"]
          },
          { "type": "none" }
        ]
      ]
    }
  ]
}
