{
  "target_defaults": {
    "include_dirs": ["native"]
  },
  "targets": [
    {
      "target_name": "sigshield",
      "include_dirs": ["<!(node -p \"require('fs').existsSync('node-addon-api') ? 'node-addon-api' : require('node-addon-api').include_dir\")"],
      "defines": ["NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS", "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS", "NAPI_VERSION=9"],
      "conditions": [
        [
          "OS=='linux'",
          {
            "sources": ["<!@(cat native/sources.txt native/platform/linux/sources.txt)"],
            "cflags_cc!": ["-std=gnu++17", "-std=gnu++20", "-fno-rtti"],
            "cflags_cc": ["-std=c++20", "-Wall", "-Wextra", "-fvisibility=hidden"],
            "ldflags": ["-Wl,-z,nodelete"]
          }
        ],
        [
          "OS=='mac'",
          {
            "sources": ["<!@(cat native/sources.txt native/platform/posix/sources.txt native/platform/darwin/sources.txt)"],
            "dependencies": ["sigshield-exec"],
            "xcode_settings": {
              "CLANG_CXX_LANGUAGE_STANDARD": "c++20",
              "GCC_C_LANGUAGE_STANDARD": "c17",
              "GCC_ENABLE_CPP_RTTI": "YES",
              "GCC_SYMBOLS_PRIVATE_EXTERN": "YES",
              "MACOSX_DEPLOYMENT_TARGET": "11.0",
              "WARNING_CFLAGS": ["-Wall", "-Wextra"]
            }
          }
        ],
        ["OS!='linux' and OS!='mac'", { "type": "none" }]
      ]
    },
    {
      # Loaded into other programs, so it is linked with no library of its own.
      "target_name": "sigshield-guard",
      "conditions": [
        [
          "OS=='linux'",
          {
            # A loadable module would be another .node.
            "type": "shared_library",
            "product_dir": "<(PRODUCT_DIR)",
            "sources": ["native/guard/guard.c"],
            "include_dirs": ["native"],
            "cflags_c": ["-std=c17", "-Wall", "-Wextra", "-fvisibility=hidden", "-fno-stack-protector"],
            # Atomics that choose at run time stand in a library that it is not linked with.
            "conditions": [["target_arch=='arm64'", { "cflags_c": ["-mno-outline-atomics"] }]],
            "ldflags": ["-nostdlib", "-Wl,-z,nodelete", "-Wl,-z,now"]
          }
        ],
        [
          "OS=='mac'",
          {
            # For both machines: dyld ends a program that can't load it.
            "type": "shared_library",
            "product_dir": "<(PRODUCT_DIR)",
            "sources": ["native/guard/guard.c"],
            "include_dirs": ["native"],
            "xcode_settings": {
              "GCC_C_LANGUAGE_STANDARD": "c17",
              "GCC_SYMBOLS_PRIVATE_EXTERN": "YES",
              "MACOSX_DEPLOYMENT_TARGET": "11.0",
              "OTHER_CFLAGS": ["-arch x86_64", "-arch arm64"],
              "OTHER_LDFLAGS": ["-arch x86_64", "-arch arm64"],
              "LD_DYLIB_INSTALL_NAME": "@loader_path/sigshield-guard.dylib",
              "WARNING_CFLAGS": ["-Wall", "-Wextra"]
            }
          }
        ],
        ["OS!='linux' and OS!='mac'", { "type": "none" }]
      ]
    }
  ],
  "conditions": [
    [
      "OS=='mac'",
      {
        "targets": [
          {
            "target_name": "sigshield-exec",
            "type": "executable",
            "sources": [
              "native/platform/posix/exec_helper.c",
              "native/platform/posix/become.c",
              "native/platform/darwin/enforcement.c"
            ],
            "include_dirs": ["native"],
            "xcode_settings": {
              "GCC_C_LANGUAGE_STANDARD": "c17",
              "MACOSX_DEPLOYMENT_TARGET": "11.0",
              "WARNING_CFLAGS": ["-Wall", "-Wextra"]
            }
          }
        ]
      }
    ]
  ]
}
